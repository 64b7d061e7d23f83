// A candidate's structure: the picture that stands in the page, and behind it the atoms of a fragment in colour.

const HALO = 8.5;

/** The picture of a candidate, as a copy; null where it is too large to be drawn. */
function pictureOf(query, candidate, attributes) {
  const source = query.pictures[candidate];
  return source ? h("img", { src: source.src, alt: source.alt, class: "structure", ...attributes }) : null;
}

/** {node, highlight}: highlight(atoms) marks a fragment, highlight([]) nothing. */
function structureView(query, number, role) {
  const candidate = query.data.candidates[number];
  const picture = pictureOf(query, number, { class: "structure large" });
  if (!picture) {
    return { node: h("p", { class: "structure-missing" }, candidate.smiles, " (not drawn)"), highlight: () => {} };
  }
  const [width, height] = page.size;
  const halos = s("svg", { class: `halos ${role}`, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const point = (atom) => [candidate.atoms[2 * atom], candidate.atoms[2 * atom + 1]];
  const highlight = (atoms) => {
    const inside = new Set(atoms.filter((atom) => 2 * atom + 1 < candidate.atoms.length));
    const marks = [];
    for (let i = 0; i < candidate.bonds.length; i += 2) {
      const [a, b] = [candidate.bonds[i], candidate.bonds[i + 1]];
      if (!inside.has(a) || !inside.has(b)) continue;
      const [[x1, y1], [x2, y2]] = [point(a), point(b)];
      marks.push(s("line", { x1, y1, x2, y2, "stroke-width": 1.5 * HALO, "stroke-linecap": "round" }));
    }
    for (const atom of inside) {
      const [cx, cy] = point(atom);
      marks.push(s("circle", { cx, cy, r: HALO, "data-atom": atom }));
    }
    halos.replaceChildren(...marks);
  };
  return { node: h("div", { class: "structure-view" }, halos, picture), highlight };
}
