// One query: its candidates as cards, its spectrum, and what fragments of one candidate, or of two, explain.

const FIGURES = ["score", "explained_intensity", "reference_similarity", "analog_score", "mass_error_ppm", "exact_mass"];

class QueryView {
  constructor(query) {
    this.query = query;
    this.data = query.data;
    this.first = 0;
    this.second = null;
    this.spectrum = 0;
    this.withReference = null; // until it is said: where the reference spectrum is of the molecule itself
    this.merged = this.data.spectra.length > 1;
    this.cards = h("ol", { class: "cards" });
    this.choices = h("div", { class: "choices" });
    this.legend = h("p", { class: "legend" });
    this.side = h("div", { class: "side" });
    this.table = h("div", { class: "peaks-table" });
    this.tip = h("div", { class: "tip", role: "status", "aria-live": "polite" });
    this.plot = new SpectrumPlot((peak, pinned, place) => this.showPeak(peak, pinned, place));
    this.node = h("article", { class: "query-view" }, this.heading(), this.body());
    this.update();
  }

  heading() {
    const { data } = this;
    const spectrum = data.spectra[0];
    const facts = [
      spectrum ? `precursor m/z ${spectrum.precursor.toFixed(4)}` : "", spectrum?.about ?? "",
      data.compared !== null ? `${data.compared} candidates compared` : "", data.repaired ? `repaired: ${data.repaired}` : "", data.usi,
    ].filter(Boolean);
    return h("header", {}, h("h2", { tabindex: -1 }, data.id), h("p", { class: "facts" }, levelBadge(data.level), " ",
      page.levels[data.level] ?? "", facts.map((fact) => [h("span", { class: "dot" }, " · "), fact])),
    data.verdict ? h("p", { class: "verdict" }, data.verdict) : null);
  }

  body() {
    const { data } = this;
    if (!data.candidates.length) return h("p", { class: "unknown" }, `No candidate: ${data.reason}.`);
    const parts = [this.cards, h("p", { class: "small" }, `${data.candidates.length} of ${data.listed} candidates shown.`)];
    if (data.spectra.length) {
      const buttons = [["−", "zoom out", () => this.plot.zoom(1 / 0.6)], ["+", "zoom in", () => this.plot.zoom(0.6)],
        ["whole", "whole spectrum", () => this.plot.zoomTo(...this.plot.whole)]];
      const zoom = h("div", { class: "buttons zoom", role: "group", "aria-label": "Zoom" }, buttons.map(([text, label, onclick]) =>
        h("button", { type: "button", "aria-label": label, title: label, onclick }, text)));
      const panel = h("div", { class: "panel" }, h("div", { class: "bar-of-tools" }, this.choices, zoom),
        h("div", { class: "plot" }, this.plot.svg, this.tip), this.legend);
      parts.push(h("div", { class: "work" }, h("div", {}, panel, this.table), this.side));
    } else {
      parts.push(h("div", { class: "work" }, this.side));
    }
    return parts;
  }

  /** Take another candidate as the chosen one; the one beside it stays, unless it is the same. */
  choose(candidate) {
    if (candidate >= this.data.candidates.length) return;
    this.first = candidate;
    if (this.second === candidate) this.second = null;
    this.update();
  }

  compare(candidate) {
    this.second = this.second === candidate || candidate === this.first ? null : candidate;
    this.update();
  }

  peaks() {
    const { spectra } = this.data;
    if (!spectra.length) return [];
    return this.merged ? mergedPeaks(spectra) : peaksOf(spectra[this.spectrum]);
  }

  update() {
    if (!this.data.candidates.length) return;
    this.drawCards();
    this.drawSide();
    if (!this.data.spectra.length) return;
    const peaks = this.peaks();
    const candidate = this.data.candidates[this.first];
    const named = candidate.reference === undefined ? null : this.data.references[candidate.reference];
    const isAnalog = candidate.match?.startsWith("analog");
    this.mirrored = Boolean(named) && (this.withReference ?? !isAnalog);
    const reference = this.mirrored
      ? { name: `${isAnalog ? "analog" : "reference"} ${named.name}`, peaks: referencePeaks(named, peaks) } : null;
    this.drawChoices(named);
    this.drawLegend(peaks, reference);
    this.drawTable(peaks);
    this.plot.show({
      peaks, first: this.first, second: this.second, reference,
      precursor: this.data.spectra[this.merged ? 0 : this.spectrum].precursor,
      label: `Spectrum of ${this.data.id}, ${peaks.length} peaks`,
    });
  }

  drawCards() {
    const had = this.cards.contains(document.activeElement) && document.activeElement.dataset.key;
    this.cards.replaceChildren(...this.data.candidates.map((candidate, i) => this.card(candidate, i)));
    if (had) [...this.cards.querySelectorAll("button")].find((button) => button.dataset.key === had)?.focus();
  }

  card(candidate, i) {
    const role = i === this.first ? "first" : i === this.second ? "second" : "";
    const figures = FIGURES.filter((name) => candidate.figures[name] !== undefined && candidate.figures[name] !== null)
      .flatMap((name) => [h("dt", { title: page.help[page.headings[name]] ?? null }, page.headings[name]),
        h("dd", {}, fixed(candidate.figures[name], page.digits[name]))]);
    return h("li", { class: `card ${role}${candidate.true ? " true" : ""}` },
      h("div", { class: "card-head" }, h("span", { class: "rank" }, candidate.rank),
        candidate.true ? h("span", { class: "truth" }, "true molecule") : null,
        h("span", { class: "card-buttons" },
          toggle("choose", i === this.first, () => this.choose(i), { "data-key": `choose-${i}`, "aria-label": `choose candidate ${candidate.rank}` }),
          this.data.candidates.length > 1 ? toggle("beside", i === this.second, () => this.compare(i), {
            "data-key": `beside-${i}`, disabled: i === this.first, "aria-label": `lay candidate ${candidate.rank} beside the chosen one`,
          }) : null)),
      h("div", { class: "card-picture", onclick: () => this.choose(i) },
        pictureOf(this.query, i) ?? h("span", { class: "smiles" }, candidate.smiles)),
      h("h3", { title: nameOf(candidate) }, nameOf(candidate)),
      h("p", { class: "card-formula" }, formula(candidate.formula), " ", candidate.adduct),
      probabilityBar(candidate.figures.probability),
      h("dl", {}, figures),
      this.ids(candidate));
  }

  ids(candidate) {
    return h("p", { class: "ids" }, candidate.ids.map(([text, address], n) => [n ? " " : "",
      address ? h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text) : h("span", {}, text)]));
  }

  /** Everything of a candidate for which its card has no room. */
  details(candidate) {
    return h("dl", { class: "details" },
      h("dt", {}, "level"), h("dd", {}, levelBadge(candidate.level), ` ${page.levels[candidate.level] ?? ""}`),
      candidate.evidence ? [h("dt", {}, "spectra"), h("dd", {}, candidate.evidence)] : null,
      h("dt", {}, "InChIKey"), h("dd", { class: "smiles" }, candidate.inchikey14),
      h("dt", {}, "SMILES"), h("dd", { class: "smiles" }, candidate.smiles));
  }

  drawSide() {
    this.views = [this.first, this.second].filter((each) => each !== null).map((number, n) => {
      const role = n ? "second" : "first";
      const view = structureView(this.query, number, role);
      const words = h("p", { class: "fragment" });
      const candidate = this.data.candidates[number];
      const node = h("section", { class: `structure-panel ${role}`, "aria-label": `structure of candidate ${candidate.rank}` },
        h("h3", {}, h("span", { class: "rank" }, candidate.rank), " ", nameOf(candidate)), view.node, words, this.details(candidate));
      return { number, node, words, highlight: view.highlight };
    });
    this.side.replaceChildren(...this.views.map((view) => view.node));
    this.showPeak(null, false, null);
  }

  drawChoices(named) {
    const { spectra } = this.data;
    const pick = (merged, spectrum) => { Object.assign(this, { merged, spectrum }); this.update(); };
    const buttons = spectra.length > 1
      ? [toggle("all merged", this.merged, () => pick(true, 0)), ...spectra.map((each, i) =>
        toggle(each.id, !this.merged && this.spectrum === i, () => pick(false, i), { title: each.about || null }))]
      : [];
    const mirror = named ? toggle("reference spectrum below", this.mirrored, () => {
      this.withReference = !this.mirrored;
      this.update();
    }) : null;
    this.choices.replaceChildren(
      ...(buttons.length ? [h("div", { class: "buttons spectra", role: "group", "aria-label": "Spectra" }, buttons)] : []),
      ...(mirror ? [h("div", { class: "buttons" }, mirror)] : []));
  }

  drawLegend(peaks, reference) {
    const counts = comparison(peaks, this.first, this.second);
    const rank = (i) => `candidate ${this.data.candidates[i].rank}`;
    const entry = (kind, text) => h("span", { class: `key ${kind}` },
      s("svg", { viewBox: "0 0 14 14", class: `peak ${kind}`, "aria-hidden": "true" }, mark(kind, 7, 7) ?? s("path", { d: "M7 1V13" })),
      `${text}: ${counts[kind].n} peak${counts[kind].n === 1 ? "" : "s"}, ${percent(counts[kind].share)} of the intensity`);
    const known = this.data.spectra.some((spectrum) => spectrum.explained);
    const entries = !known ? ["The model holds no ranker, which would tell what fragments explain."]
      : this.second === null ? [entry("first", `explained by ${rank(this.first)}`), entry("none", "not explained")]
        : [entry("both", "both explain"), entry("first", `only ${rank(this.first)}`), entry("second", `only ${rank(this.second)}`), entry("none", "neither")];
    const one = this.merged ? null : this.data.spectra[this.spectrum];
    if (one && one.n > one.mz.length) entries.push(`the ${one.mz.length} highest of ${one.n} peaks`);
    if (known && one && one.seen < one.mz.length) entries.push(`fragments were sought for ${one.seen} peaks, the highest ones`);
    if (reference) entries.push(h("span", { class: "key" }, `below: ${reference.name}, peaks of both dark`));
    this.legend.replaceChildren(...entries);
  }

  drawTable(peaks) {
    const chosen = [this.first, this.second].filter((each) => each !== null);
    const explained = peaks.filter((peak) => chosen.some((each) => peak.of[each])).sort((a, b) => b.height - a.height);
    if (!explained.length) { this.table.replaceChildren(); return; }
    const alone = chosen.length === 1;
    const of = ["formula of the ion", "error (ppm)", "fragment", ...(alone ? ["bonds cut"] : [])];
    const heads = ["m/z", "relative intensity", ...chosen.flatMap((each) =>
      of.map((text) => (alone ? text : `${this.data.candidates[each].rank}: ${text}`)))];
    this.rows = new Map(explained.map((peak) => [peak.mz, h("tr", {
      class: explainedBy(peak, this.first, this.second), tabindex: 0,
      onpointerenter: () => this.plot.choose(peak, false), onfocus: () => this.plot.choose(peak, false),
    }, h("td", { class: "number" }, peak.mz.toFixed(4)), h("td", { class: "number" }, percent(peak.height)), chosen.map((each) => {
      const one = peak.of[each];
      return one ? [h("td", {}, formula(one[FORMULA])), h("td", { class: "number" }, signed(one[PPM])),
        h("td", { class: "smiles" }, one[SMILES]), alone ? h("td", { class: "number" }, String(one[CUTS])) : null]
        : [h("td", { colspan: of.length, class: "unknown" }, "–")];
    }))]));
    this.table.replaceChildren(h("h3", {}, "Explained peaks"), h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, [...this.rows.values()]))));
  }

  /** Mark the fragments of a peak inside the structures, and say in words what it is. */
  showPeak(peak, pinned, place) {
    for (const { number, words, highlight } of this.views ?? []) {
      const explanation = peak?.of[number];
      highlight(explanation ? atomsOf(explanation) : []);
      words.replaceChildren(...(explanation ? this.words(explanation)
        : [peak ? "no fragment of this candidate explains the peak" : this.data.spectra.length ? "choose a peak to see its fragment" : ""]));
    }
    for (const [mz, row] of this.rows ?? []) row.classList.toggle("current", mz === peak?.mz);
    this.tip.hidden = !peak;
    if (!peak || !place) return;
    const lines = [`m/z ${peak.mz.toFixed(4)}, ${percent(peak.height)}`];
    const chosen = [this.first, this.second].filter((each) => each !== null && peak.of[each]);
    this.tip.replaceChildren(h("strong", {}, lines[0]), ...(chosen.length ? chosen.map((each) => h("div", {},
      this.second === null ? "" : `${this.data.candidates[each].rank}: `, formula(peak.of[each][FORMULA]), ` ${signed(peak.of[each][PPM])} ppm`))
      : [h("div", { class: "unknown" }, "not explained")]), pinned ? h("div", { class: "small" }, "held; click to let go") : "");
    this.tip.style.left = `${(100 * place.x) / PLOT.width}%`;
    this.tip.style.top = `${(100 * Math.max(place.y, 60)) / PLOT.height}%`;
    this.tip.classList.toggle("to-the-left", place.x > 0.75 * PLOT.width);
  }

  words(explanation) {
    const cuts = explanation[CUTS];
    const shift = explanation[SHIFT];
    const hydrogens = shift ? `, ${shift > 0 ? "+" : "−"}${Math.abs(shift)} H` : "";
    return [formula(explanation[FORMULA]), ` ${signed(explanation[PPM])} ppm · ${cuts ? `${cuts} bond${cuts > 1 ? "s" : ""} cut` : "no bond cut"}${hydrogens}`,
      h("br"), h("span", { class: "smiles" }, explanation[SMILES])];
  }
}

function signed(value) {
  return value < 0 ? `−${Math.abs(value).toFixed(1)}` : `+${value.toFixed(1)}`;
}
