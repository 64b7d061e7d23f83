// All queries as a table: sorted, filtered, walked by keys; and the probabilities as a histogram to click.

const N_BINS = 10;
const LEVEL_ORDER = ["2a", "3", "4", "5"];
const UNFILTERED = { text: "", low: 0, high: 1, polarity: "", levels: new Set() };

function bestOf(query) {
  return query.data.candidates[0] ?? null;
}

function probabilityOf(query) {
  return bestOf(query)?.figures.probability ?? null;
}

// heading, class, value to sort by (null stands last), cell
const COLUMNS = [
  ["structure", "picture", null, (query) => (bestOf(query) ? pictureOf(query, 0, { loading: "lazy", class: "structure" }) : "")],
  ["query", "query", (query) => query.data.id.toLowerCase(), (query) => [
    h("a", { href: `#query-${query.number}` }, query.data.id),
    h("div", { class: "small" }, query.data.spectra.length ? `m/z ${query.data.spectra[0].precursor.toFixed(4)}` : "",
      query.data.spectra.length > 1 ? `, ${query.data.spectra.length} spectra` : ""),
  ]],
  ["best candidate", "name", (query) => nameOf(bestOf(query)).toLowerCase() || null, (query) =>
    (bestOf(query) ? h("span", { class: bestOf(query).name ? "" : "smiles" }, nameOf(bestOf(query)))
      : h("span", { class: "unknown" }, `no candidate: ${query.data.reason}`))],
  ["formula", "", (query) => bestOf(query)?.formula || null, (query) => formula(bestOf(query)?.formula ?? "")],
  ["adduct", "", (query) => bestOf(query)?.adduct || null, (query) => bestOf(query)?.adduct ?? ""],
  ["probability", "", probabilityOf, (query) => (bestOf(query) ? probabilityBar(probabilityOf(query)) : "")],
  ["reference spectra", "", (query) => matchOrder(bestOf(query)), (query) => bestOf(query)?.match ?? ""],
  ["level", "", (query) => LEVEL_ORDER.indexOf(query.data.level), (query) => levelBadge(query.data.level)],
];
const VERDICT = ["", "right", (query) => query.data.verdict || null, (query) => query.data.verdict];

function nameOf(candidate) {
  return candidate ? candidate.name || candidate.smiles || candidate.inchikey14 : "";
}

/** Library matches first, then other reference spectra, then analogs; the most similar first. */
function matchOrder(candidate) {
  if (!candidate?.match) return null;
  const kind = ["library", "reference", "analog"].findIndex((word) => candidate.match.startsWith(word));
  return kind - parseFloat(candidate.match.match(/[\d.]+$/)?.[0] ?? "0");
}

class Overview {
  /** onopen(query) is called for the query that is chosen. */
  constructor(queries, onopen) {
    this.queries = queries;
    this.onopen = onopen;
    this.columns = queries.some((query) => query.data.verdict) ? [...COLUMNS, VERDICT] : COLUMNS;
    this.sorted = { column: -1, down: false };
    this.filter = { ...UNFILTERED, levels: new Set() };
    this.shown = queries;
    this.current = queries[0] ?? null;
    for (const query of queries) {
      query.text = [query.data.id, ...query.data.candidates.flatMap((each) =>
        [each.name, each.formula, each.smiles, each.inchikey14, each.adduct, ...each.ids.map((id) => id[0])])]
        .join("\n").toLowerCase();
    }
    this.histogram = s("svg", { class: "histogram", viewBox: "0 0 340 112", role: "group", "aria-label":
      "Queries by the probability of their best candidate; a bar filters the table" });
    this.count = h("p", { class: "count", role: "status", "aria-live": "polite" });
    this.body = h("tbody", {});
    this.heads = this.columns.map(([title, , value], i) => h("th", { scope: "col" }, value
      ? h("button", { type: "button", onclick: () => this.sortBy(i) }, title || "right?", h("span", { class: "arrow", "aria-hidden": "true" }))
      : title));
    const levels = h("p", { class: "small" }, "Levels: ", LEVEL_ORDER.map((level, i) => [i ? " · " : "", levelBadge(level), ` ${page.levels[level]}`]));
    this.node = h("div", { class: "overview" }, this.tools(), h("div", { class: "under-tools" }, this.count, levels), h("table", { class: "queries" },
      h("thead", {}, h("tr", {}, this.heads)), this.body));
    this.rows = new Map(queries.map((query) => [query, this.row(query)]));
    this.update();
  }

  tools() {
    this.inputs = {
      text: h("input", { type: "search", id: "search", placeholder: "name, formula, id, SMILES …",
        oninput: (event) => this.set({ text: event.target.value.trim().toLowerCase() }) }),
      low: h("input", { type: "number", id: "least", min: 0, max: 1, step: 0.05, value: 0,
        oninput: (event) => this.set({ low: Number(event.target.value) || 0, high: 1 }) }),
      polarity: h("select", { id: "polarity", onchange: (event) => this.set({ polarity: event.target.value }) },
        h("option", { value: "" }, "both"), h("option", { value: "+" }, "positive"), h("option", { value: "-" }, "negative")),
    };
    this.levelButtons = LEVEL_ORDER.map((level) => toggle(level, false, () => this.toggleLevel(level), {
      title: page.levels[level], class: `level level-${level}`, "data-level": level, "aria-label": `level ${level}: ${page.levels[level]}`,
    }));
    const field = (label, node) => h("label", { class: "field" }, h("span", {}, label), node);
    return h("div", { class: "tools" },
      h("div", { class: "fields", role: "search" },
        field("Search", this.inputs.text), field("Probability at least", this.inputs.low), field("Polarity", this.inputs.polarity),
        h("div", { class: "field", role: "group", "aria-label": "Confidence level" }, h("span", {}, "Level"),
          h("div", { class: "buttons" }, this.levelButtons)),
        h("button", { type: "button", class: "reset", onclick: () => this.reset() }, "Show all")),
      h("figure", { class: "probabilities" }, this.histogram,
        h("figcaption", {}, "probability of the best candidate; click a bar")));
  }

  row(query) {
    const cells = this.columns.map(([, kind, , cell]) => h("td", { class: kind }, cell(query)));
    return h("tr", { "data-query": query.number, onclick: () => this.open(query) }, cells);
  }

  open(query) {
    this.select(query);
    this.onopen(query);
  }

  set(change) {
    Object.assign(this.filter, change);
    this.update();
  }

  toggleLevel(level) {
    const { levels } = this.filter;
    if (!levels.delete(level)) levels.add(level);
    this.update();
  }

  reset() {
    this.filter = { ...UNFILTERED, levels: new Set() };
    for (const input of Object.values(this.inputs)) input.value = input.type === "number" ? 0 : "";
    this.update();
  }

  sortBy(column) {
    const { sorted } = this;
    // probabilities are sorted from the top at first
    const first = this.columns[column][0] === "probability";
    this.sorted = { column, down: sorted.column === column ? !sorted.down : first };
    this.update();
  }

  passes(query, { withProbability = true } = {}) {
    const { text, low, high, polarity, levels } = this.filter;
    if (!text.split(/\s+/).every((word) => query.text.includes(word))) return false;
    if (polarity && query.data.polarity !== polarity) return false;
    if (levels.size && !levels.has(query.data.level)) return false;
    if (!withProbability || (low <= 0 && high >= 1)) return true;
    const probability = probabilityOf(query);
    return probability !== null && probability >= low && (probability < high || high >= 1);
  }

  update() {
    const { column, down } = this.sorted;
    this.shown = this.queries.filter((query) => this.passes(query));
    const value = column >= 0 ? this.columns[column][2] : null;
    if (value) {
      const keyed = this.shown.map((query) => [value(query), query]);
      keyed.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1)));
      this.shown = keyed.map(([, query]) => query);
    }
    this.heads.forEach((head, i) => {
      head.setAttribute("aria-sort", i === column ? (down ? "descending" : "ascending") : "none");
    });
    this.body.replaceChildren(...this.shown.map((query) => this.rows.get(query)));
    this.count.textContent = this.shown.length === this.queries.length
      ? `${this.queries.length} queries` : `${this.shown.length} of ${this.queries.length} queries`;
    for (const button of this.levelButtons) {
      button.setAttribute("aria-pressed", String(this.filter.levels.has(button.dataset.level)));
    }
    if (!this.shown.includes(this.current)) this.current = this.shown[0] ?? null;
    this.drawHistogram();
    this.mark();
  }

  drawHistogram() {
    const counts = new Array(N_BINS).fill(0);
    for (const query of this.queries) {
      const probability = probabilityOf(query);
      if (probability !== null && this.passes(query, { withProbability: false })) {
        counts[Math.min(N_BINS - 1, Math.floor(probability * N_BINS))] += 1;
      }
    }
    const most = Math.max(...counts, 1);
    const { low, high } = this.filter;
    const bars = counts.map((count, i) => {
      const [from, to] = [i / N_BINS, (i + 1) / N_BINS];
      const height = 74 * (count / most);
      const isOn = (low > 0 || high < 1) && from >= low - 1e-9 && to <= high + 1e-9;
      const label = `${count} queries with probability ${from} to ${to}`;
      const click = () => this.set(isOn && high < 1.5 && this.onlyBin === i ? this.allBins() : this.oneBin(i));
      return s("g", { class: `bin${isOn ? " on" : ""}`, role: "button", tabindex: 0, "aria-label": label, "aria-pressed": String(isOn),
        onclick: click, onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); click(); } } },
      s("title", {}, label),
      s("rect", { class: "area", x: 10 + 32 * i, y: 0, width: 32, height: 94 }),
      s("rect", { class: "count", x: 12 + 32 * i, y: 94 - height, width: 28, height }),
      s("text", { x: 26 + 32 * i, y: 90 - height, "text-anchor": "middle" }, count || ""));
    });
    const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map((at) =>
      s("text", { class: "tick", x: 10 + 320 * at, y: 108, "text-anchor": "middle" }, String(at)));
    this.histogram.replaceChildren(...bars, s("path", { class: "axis", d: "M10 94.5H330" }), ...ticks);
  }

  oneBin(i) {
    this.onlyBin = i;
    this.inputs.low.value = i / N_BINS;
    return { low: i / N_BINS, high: (i + 1) / N_BINS };
  }

  allBins() {
    this.onlyBin = null;
    this.inputs.low.value = 0;
    return { low: 0, high: 1 };
  }

  /** The query `by` places further in the table as it is sorted and filtered. */
  neighbour(query, by) {
    const at = this.shown.indexOf(query);
    if (at < 0) return this.shown[0] ?? null;
    return this.shown[at + by] ?? null;
  }

  select(query) {
    this.current = query;
    this.mark();
  }

  mark() {
    for (const [query, row] of this.rows) {
      row.classList.toggle("current", query === this.current);
      if (query === this.current) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  step(by) {
    const next = this.neighbour(this.current, by);
    if (!next) return;
    this.select(next);
    this.rows.get(next).scrollIntoView({ block: "nearest" });
  }
}
