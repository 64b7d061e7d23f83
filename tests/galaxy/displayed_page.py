#!/usr/bin/env python
"""How the Galaxy at GALAXY_URL shows the page of sb-report to a browser: displayed_page.py, by the server's Python.

The tool makes the page there. Until an administrator trusts the tool, the server sends its source as plain text, which
runs no script; then the page as it is. Older servers, and Galaxy's own pages, clean HTML instead (`sanitize_html`):
that leaves all words of the plain form, and no scripts.
"""

import html.parser
import os
import sys
import urllib.request
from pathlib import Path

from bioblend.galaxy import GalaxyInstance
from galaxy.util.sanitize_html import sanitize_html
from planemo.galaxy.api import user_api_key

URL = os.environ["GALAXY_URL"]
DATA = Path(__file__).parents[2] / "galaxy_wrappers/test-data"
TOOL = "specbridge_report"
SECONDS = 600


class Page(html.parser.HTMLParser):
    """All words, elements, attributes, pictures, and texts in their place."""

    def __init__(self, text):
        super().__init__()
        self.words, self.elements, self.attributes, self.pictures, self.drawn = [], set(), set(), [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag == "img":
            self.pictures.append(dict(attributes)["alt"])
            self.drawn += dict(attributes).get("src", "").startswith("data:image/svg+xml;base64,")

    def handle_data(self, data):
        self.words += data.split()


def made_page(galaxy):
    """The id of the tool's output, of spectra whose structures are known."""
    history = galaxy.histories.create_history("displayed page")["id"]
    hits, spectra = (
        {"src": "hda", "id": galaxy.tools.upload_file(str(DATA / name), history, file_type=kind)["outputs"][0]["id"]}
        for name, kind in (("hits.tsv", "tabular"), ("spectra.mgf", "mgf"))
    )
    run = galaxy.tools.run_tool(history, TOOL, {"hits": hits, "spectra": spectra, "truth": spectra})
    page = run["outputs"][0]["id"]
    galaxy.datasets.wait_for_dataset(page, maxwait=SECONDS, interval=0.5)
    return page


def shown(page, key):
    """Headers and text of what the client's frame in the middle of the window loads."""
    request = urllib.request.Request(f"{URL}/datasets/{page}/display/?preview=True", headers={"x-api-key": key})
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return answer.headers, answer.read().decode()


def check_untrusted(headers):
    assert headers["x-sanitized-tool-id"] == TOOL
    assert headers.get_content_type() == "text/plain"
    assert headers["x-content-type-options"] == "nosniff"


def check_trusted(headers, text):
    whole = Page(text)
    assert headers["x-sanitized-tool-id"] is None
    assert headers.get_content_type() == "text/html"
    # of 16 queries one small structure, the spectrum and up to 5 candidates each
    assert whole.drawn == len(whole.pictures) > 2 * 16
    assert "COP(=O)(OC)C(O)C(Cl)(Cl)Cl" in whole.pictures
    assert "script" in whole.elements


def check_cleaned(text):
    whole, clean = Page(text), Page(sanitize_html(text))
    assert clean.words == whole.words, "words are lost or added"
    assert clean.pictures == whole.pictures, "texts of pictures are lost"
    left = {"script", "style", "link", "meta", "data-json", "src"} & (clean.elements | clean.attributes)
    assert not left, f"{left} is left"
    assert clean.elements >= {"table", "td", "h2", "a"}
    return f"all {len(clean.words)} words of the page and the texts of {len(clean.pictures)} pictures"


def main():
    administrator = GalaxyInstance(URL, key=os.environ["GALAXY_KEY"])
    key = user_api_key(administrator)
    page = made_page(GalaxyInstance(URL, key=key))
    headers, untrusted = shown(page, key)
    check_untrusted(headers)
    trust = f"{administrator.url}/sanitize_allow"
    administrator.make_put_request(trust, params={"tool_id": TOOL})
    try:
        headers, trusted = shown(page, key)
    finally:
        administrator.make_delete_request(trust, params={"tool_id": TOOL})
    check_trusted(headers, trusted)
    assert trusted == untrusted
    left = check_cleaned(trusted)
    print(f"Galaxy shows the page as text, once its tool is trusted all of it; where it cleans HTML, it leaves {left}")


if __name__ == "__main__":
    sys.exit(main())
