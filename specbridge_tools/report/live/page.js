// The page with scripts: the plain report, which stands in <main>, is hidden but for printing.

const page = data(document.querySelector(".data-page"));
const report = document.getElementById("report");
const queries = [...report.querySelectorAll(".query")].map((section, i) => ({
  number: i + 1,
  section,
  data: data(section.querySelector(".data-query")),
  pictures: [],
}));
for (const query of queries) {
  // the pictures of the candidates, by their places: one that is too large has none
  const rows = [...query.section.querySelectorAll("table.candidates tr")].slice(1);
  query.pictures = rows.map((row) => row.querySelector("img.structure"));
}

const views = new Map();
const overview = new Overview(queries, (query) => { location.hash = `query-${query.number}`; });
const summary = h("details", { class: "summary" }, h("summary", {}, "Counts of all queries, and how to read this page"));
for (const node of report.querySelectorAll(".about")) summary.append(node.cloneNode(true));
const content = h("div", { id: "content" });
const back = h("button", { type: "button", onclick: () => { location.hash = ""; } }, "all queries");
const before = h("button", { type: "button", "aria-label": "query before", onclick: () => go(-1) }, "↑");
const after = h("button", { type: "button", "aria-label": "next query", onclick: () => go(1) }, "↓");
const place = h("span", { class: "place" });
const keys = h("p", { class: "keys small" });
document.body.append(h("div", { id: "live" },
  h("header", { class: "top" }, h("h1", {}, report.querySelector("h1").textContent), h("nav", { "aria-label": "queries" }, back, before, after, place)),
  content, keys));
document.body.classList.add("live");

const { title } = document;
let shown = null; // the query that is open

function go(by) {
  const next = overview.neighbour(shown, by);
  if (next) overview.open(next);
}

function viewOf(query) {
  if (!views.has(query)) views.set(query, new QueryView(query));
  return views.get(query);
}

function route() {
  const found = /^#query-(\d+)$/.exec(location.hash);
  shown = (found && queries[Number(found[1]) - 1]) || null;
  document.body.classList.toggle("one", Boolean(shown));
  document.title = shown ? shown.data.id : title;
  for (const query of queries) query.section.classList.toggle("shown", query === shown);
  for (const button of [back, before, after]) button.hidden = !shown;
  if (shown) {
    overview.select(shown);
    const at = overview.shown.indexOf(shown);
    place.textContent = at < 0 ? "" : `${at + 1} of ${overview.shown.length}`;
    before.disabled = !overview.neighbour(shown, -1);
    after.disabled = !overview.neighbour(shown, 1);
    content.replaceChildren(viewOf(shown).node);
    content.querySelector("h2").focus({ preventScroll: true });
    keys.textContent = "Keys: j k or ↓ ↑ next and previous query, 1 to 9 choose a candidate, Shift with 1 to 9 lay one beside it, Esc all queries. In the spectrum: ← → peaks, + − 0 zoom; drag to zoom, or Shift and the wheel.";
    window.scrollTo(0, 0);
  } else {
    place.textContent = page.drawn < page.queries ? `the first ${page.drawn} of ${page.queries}` : "";
    content.replaceChildren(overview.node, summary);
    keys.textContent = "Keys: j k or ↓ ↑ next and previous query, Enter opens it, / search.";
    if (overview.current) overview.rows.get(overview.current).scrollIntoView({ block: "nearest" });
  }
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const steps = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };
  const digit = /^Digit([1-9])$/.exec(event.code);
  if (event.key in steps) shown ? go(steps[event.key]) : overview.step(steps[event.key]);
  else if (event.key === "Escape" && shown) location.hash = "";
  else if (event.key === "Enter" && !shown && !event.target.closest("button, a, [role=button]") && overview.current) overview.open(overview.current);
  else if (event.key === "/" && !shown) overview.inputs.text.focus();
  else if (digit && shown) {
    const view = viewOf(shown);
    const candidate = Number(digit[1]) - 1;
    if (candidate < view.data.candidates.length) event.shiftKey ? view.compare(candidate) : view.choose(candidate);
  } else return;
  event.preventDefault();
}

window.addEventListener("hashchange", route);
document.addEventListener("keydown", key);
route();
