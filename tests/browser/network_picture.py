"""The picture of a network in examples/README.md: network_picture.py NETWORK.graphml cytoscape.min.js OUT.png.

Cytoscape.js, which draws as the desktop program does, is one file of the package `cytoscape` of npm. The style is the
one that examples/README.md describes.
"""

import re
import sys
import textwrap
import xml.etree.ElementTree as ET
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTH, BESIDE, GAP, ROW = 1250, 98, 24, 70
LINES = {"molecule": 14, "reference": 18}  # letters of a line of a label
GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"
PAGE = "<!DOCTYPE html><meta charset='utf-8'><style>body { margin: 0 } #network { width: 100vw; height: 100vh }</style>"
COLOURS = {"2a": "#00694d", "3": "#0060a8", "4": "#8a5a00", "5": "#5f6670"}
LABEL = {"label": "data(label)", "font-family": "DejaVu Sans, sans-serif", "text-background-color": "#ffffff",
         "text-background-opacity": 0.85, "text-wrap": "wrap", "text-max-width": 200}  # fmt: skip
STYLE = [
    {"selector": "node", "style": {**LABEL, "text-valign": "bottom", "text-margin-y": 2, "font-size": 10}},
    {"selector": "[kind = 'query']", "style": {"shape": "ellipse", "width": 22, "height": 22}},
    {"selector": "[kind = 'molecule']", "style": {
        "shape": "round-rectangle", "background-color": "#ffffff", "border-width": 1.5, "border-color": "#222222",
        "width": "label", "height": "label", "padding": 5, "text-valign": "center", "text-margin-y": 0,
        "font-weight": "bold", "font-size": 9}},
    {"selector": "[kind = 'reference']", "style": {
        "shape": "diamond", "background-color": "#a9b0ba", "width": 11, "height": 11, "font-size": 8,
        "color": "#4a505a"}},
    {"selector": "edge", "style": {"line-color": "#0060a8", "width": "mapData(weight, 0, 1, 1, 8)"}},
    {"selector": "[interaction = 'reference']", "style": {"line-color": "#00694d"}},
    {"selector": "[interaction = 'analog']", "style": {"line-color": "#c98500", "line-style": "dashed"}},
    *({"selector": f"[kind = 'query'][level = '{level}']", "style": {"background-color": colour}}
      for level, colour in COLOURS.items()),
]  # fmt: skip
# each part of the network by itself: molecules above, their queries below them, the references at the bottom
DRAW = """([elements, style, width, beside, gap, row]) => {
  document.body.innerHTML = "<div id='network'></div>";
  const container = document.getElementById("network");
  const network = cytoscape({container, elements, style, layout: {name: "preset", fit: false}, zoom: 1});
  let [left, top] = [gap, row / 2];
  for (const part of network.elements().components()) {
    const rows = ["molecule", "query", "reference"].map((kind) => part.filter(`[kind = '${kind}']`));
    const place = Math.max(...rows.map((nodes) => nodes.length), 1.4) * beside;
    if (left + place > width - gap) [left, top] = [gap, top + 3 * row];
    for (const depth of [1, 0, 2]) {
      const sum = (node) => node.neighborhood("node").reduce((before, each) => before + each.position("x"), 0);
      const near = (node) => sum(node) / node.degree();
      const nodes = depth === 1 ? rows[depth] : rows[depth].sort((a, b) => near(a) - near(b));
      nodes.forEach((node, i) => node.position({x: left + place * (i + 0.5) / nodes.length, y: top + depth * row}));
    }
    left += place + gap;
  }
  return top + 3 * row;
}"""


def elements_of(path):
    """Nodes and edges of a GraphML file, as Cytoscape.js takes them."""
    root = ET.parse(path).getroot()
    names = {key.get("id"): (key.get("attr.name"), key.get("attr.type")) for key in root.iter(f"{GRAPHML}key")}
    for kind in ("node", "edge"):
        for each in root.iter(f"{GRAPHML}{kind}"):
            data = dict(each.attrib)
            for value in each.iter(f"{GRAPHML}data"):
                name, type_ = names[value.get("key")]
                data[name] = float(value.text) if type_ == "double" else value.text
            if kind == "node":
                data["label"] = label_of(data)
            yield {"group": f"{kind}s", "data": data}


def label_of(node):
    """m/z of a query, name of a molecule, accession of a reference without MassBank's prefix."""
    if node["kind"] == "query":
        return f"{node['mz']:.4f}"
    name = re.sub("^(MSBNK-[^-]+-|.*:)", "", node["name"]) if node["kind"] == "reference" else node["name"]
    return textwrap.fill(
        name, LINES[node["kind"]], max_lines=3, break_on_hyphens=False, placeholder="\N{HORIZONTAL ELLIPSIS}"
    )


def main(network, library, destination):
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = chromium.new_page(viewport={"width": WIDTH, "height": WIDTH})
        tab.set_content(PAGE)
        tab.add_script_tag(path=Path(library))
        height = tab.evaluate(DRAW, [list(elements_of(network)), STYLE, WIDTH, BESIDE, GAP, ROW])
        tab.screenshot(path=destination, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
        chromium.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
