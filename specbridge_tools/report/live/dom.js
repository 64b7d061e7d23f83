// Elements made of text: no text of a file is ever parsed as markup, since nothing here sets innerHTML.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== "") node.append(child);
  }
  return node;
}

/** An HTML element: h("td", {class: "x", onclick: f}, "text", other). */
function h(name, attributes, ...children) {
  return fill(document.createElement(name), attributes ?? {}, children);
}

/** The same for SVG. */
function s(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes ?? {}, children);
}

function data(element) {
  return JSON.parse(element.dataset.json);
}

function fixed(value, digits) {
  return value === null || value === undefined ? "" : value.toFixed(digits);
}

function percent(share) {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`;
}

/** C6H8NO+ with its numbers below and its charge above the line. */
function formula(text) {
  const parts = text.match(/\d+|[+-]\d*$|[^\d+-]+|[+-]/g) ?? [];
  return h("span", { class: "formula" }, parts.map((part, i) => {
    if (/^\d/.test(part)) return h("sub", {}, part);
    return /^[+-]/.test(part) && i === parts.length - 1 ? h("sup", {}, part.replace("-", "−")) : part;
  }));
}

/** A bar for a number from 0 to 1, with the number. */
function probabilityBar(value) {
  if (value === null || value === undefined) return h("span", { class: "unknown" }, "not stated");
  const bar = s("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("rect", { class: "track", width: 100, height: 10 }),
    s("rect", { class: "filled", width: 100 * Math.max(0, Math.min(1, value)), height: 10 }));
  return h("span", { class: "probability" }, bar, h("span", { class: "number" }, percent(value)));
}

function levelBadge(level) {
  const meaning = page.levels[level] ?? "";
  return h("span", { class: `level level-${level}`, title: `Level ${level}: ${meaning}` },
    h("span", { class: "hidden" }, "level "), level);
}

/** A button that is on or off. */
function toggle(text, isOn, onclick, attributes) {
  return h("button", { type: "button", "aria-pressed": String(isOn), onclick, ...attributes }, text);
}
