// One spectrum as SVG: zoomed by dragging, wheel, buttons or keys; hovering or the arrow keys choose a peak.

const PLOT = { width: 860, height: 430, left: 46, right: 14, top: 46, bottom: 38 };
const LEAST_WIDTH = 440; // of the plot in a narrow window, so that its letters are not too small
const MOST_LABELS = 16;
const NEAR = 14; // how far from a peak the pointer chooses it

function tickStep(span, most) {
  const power = 10 ** Math.floor(Math.log10(span / most));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => span / step <= most);
}

/** A mark at the top of a peak, so that who explains it is seen without colours, too. */
function mark(kind, x, y) {
  if (kind === "first") return s("circle", { cx: x, cy: y, r: 3.4 });
  if (kind === "second") return s("rect", { x: x - 3, y: y - 3, width: 6, height: 6 });
  if (kind === "both") return s("path", { d: `M${x} ${y - 4.6}L${x + 4.6} ${y}L${x} ${y + 4.6}L${x - 4.6} ${y}Z` });
  return null;
}

class SpectrumPlot {
  /** onchoose(peak or null, pinned) is called when a peak is chosen. */
  constructor(onchoose) {
    this.onchoose = onchoose;
    this.peaks = [];
    PLOT.width = Math.min(860, Math.max(LEAST_WIDTH, window.innerWidth - 50));
    this.reference = null;
    this.svg = s("svg", {
      class: "spectrum", viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, tabindex: 0, role: "application",
      "aria-roledescription": "spectrum",
      onpointermove: (event) => this.move(event), onpointerdown: (event) => this.press(event),
      onpointerup: (event) => this.release(event), onpointerleave: () => this.leave(),
      ondblclick: () => this.zoomTo(...this.whole), onkeydown: (event) => this.key(event),
    });
    this.svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** Show peaks; {first, second} are candidates, reference {name, peaks} or null, precursor m/z. */
  show({ peaks, first, second, reference, precursor, label }) {
    const every = [...peaks, ...(reference?.peaks ?? [])].map((peak) => peak.mz).concat(precursor ?? []);
    const [low, high] = [Math.min(...every), Math.max(...every)];
    const margin = Math.max(2, 0.03 * (high - low));
    const whole = [Math.max(0, low - margin), high + margin];
    const same = this.whole && whole[0] === this.whole[0] && whole[1] === this.whole[1];
    Object.assign(this, { peaks, first, second, reference, precursor, whole });
    if (!same) this.range = whole;
    this.pinned = this.pinned && peaks.find((peak) => peak.mz === this.pinned.mz);
    this.svg.setAttribute("aria-label", `${label}. Left and right arrows step through the peaks, plus and minus zoom.`);
    this.draw();
    this.choose(this.pinned ?? null, Boolean(this.pinned));
  }

  x(mz) {
    const [low, high] = this.range;
    return PLOT.left + ((mz - low) / (high - low)) * (PLOT.width - PLOT.left - PLOT.right);
  }

  mzAt(x) {
    const [low, high] = this.range;
    return low + ((x - PLOT.left) / (PLOT.width - PLOT.left - PLOT.right)) * (high - low);
  }

  get base() {
    return this.reference ? PLOT.top + 0.6 * (PLOT.height - PLOT.top - PLOT.bottom) : PLOT.height - PLOT.bottom;
  }

  inRange(peak) {
    return peak.mz >= this.range[0] && peak.mz <= this.range[1];
  }

  draw() {
    const shown = this.peaks.filter((peak) => this.inRange(peak));
    this.highest = Math.max(...shown.map((peak) => peak.height), 1e-9);
    const y = (peak) => this.base - (peak.height / this.highest) * (this.base - PLOT.top);
    const rank = { none: 0, second: 1, first: 2, both: 3 };
    const drawn = shown
      .map((peak) => ({ peak, kind: explainedBy(peak, this.first, this.second), x: this.x(peak.mz), y: y(peak) }))
      .sort((a, b) => rank[a.kind] - rank[b.kind]);
    this.places = new Map(drawn.map((each) => [each.peak, each]));
    const lines = drawn.map(({ kind, x: at, y: top }) => s("g", { class: `peak ${kind}` },
      s("path", { d: `M${at.toFixed(2)} ${this.base}V${top.toFixed(2)}` }), mark(kind, at, top)));
    this.cursor = s("g", { class: "cursor" });
    this.brush = s("rect", { class: "brush", y: PLOT.top, height: PLOT.height - PLOT.top - PLOT.bottom, width: 0 });
    this.svg.replaceChildren(...this.axes(), ...this.mirror(), ...lines, ...this.labels(drawn), this.brush, this.cursor);
  }

  axes() {
    const [low, high] = this.range;
    const step = tickStep(high - low, PLOT.width / 70);
    const bottom = PLOT.height - PLOT.bottom;
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const parts = [s("path", {
      class: "axis", d: `M${PLOT.left} ${PLOT.top}V${bottom}H${PLOT.width - PLOT.right}` +
        (this.reference ? `M${PLOT.left} ${this.base}H${PLOT.width - PLOT.right}` : ""),
    })];
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
      const x = this.x(value);
      parts.push(s("path", { class: "axis", d: `M${x.toFixed(2)} ${bottom}v5` }),
        s("text", { class: "tick", x, y: bottom + 18, "text-anchor": "middle" }, value.toFixed(digits)));
    }
    parts.push(s("text", { class: "tick", x: PLOT.width - PLOT.right, y: PLOT.height - 4, "text-anchor": "end" }, "m/z"),
      s("text", { class: "tick", x: PLOT.left - 6, y: PLOT.top + 4, "text-anchor": "end" }, percent(this.highest)),
      s("text", { class: "tick", x: PLOT.left - 6, y: this.base + 4, "text-anchor": "end" }, "0"));
    if (this.precursor && this.precursor >= low && this.precursor <= high) {
      const x = this.x(this.precursor);
      parts.push(s("path", { class: "precursor", d: `M${x.toFixed(2)} ${this.base}V14` }),
        s("text", { class: "precursor-label", x, y: 10, "text-anchor": x > PLOT.width - 40 ? "end" : "middle" },
          "precursor"));
    }
    return parts;
  }

  mirror() {
    if (!this.reference) return [];
    const shown = this.reference.peaks.filter((peak) => this.inRange(peak));
    const highest = Math.max(...shown.map((peak) => peak.height), 1e-9);
    const depth = PLOT.height - PLOT.bottom - this.base - 4;
    return [
      ...shown.map((peak) => s("path", {
        class: `reference ${peak.shared ? "shared" : "other"}`,
        d: `M${this.x(peak.mz).toFixed(2)} ${this.base}v${((peak.height / highest) * depth).toFixed(2)}`,
      })),
      s("text", { class: "tick", x: PLOT.left + 8, y: PLOT.height - PLOT.bottom - 6 }, this.reference.name),
    ];
  }

  /** m/z of the highest peaks, and formulas of those that are explained, but for those that would cover another. */
  labels(drawn) {
    const placed = [];
    for (const { peak, kind, x, y } of [...drawn].sort((a, b) => b.peak.height - a.peak.height)) {
      const explanation = peak.of[this.first] ?? (this.second === null ? undefined : peak.of[this.second]);
      const text = explanation?.[FORMULA] ?? "";
      const width = Math.max(50, 7.2 * text.length);
      const height = text ? 24 : 12;
      const at = Math.min(Math.max(x, PLOT.left + width / 2), PLOT.width - width / 2);
      const box = { left: at - width / 2, right: at + width / 2, top: y - 8 - height, bottom: y - 8 };
      const free = placed.every((other) => box.left > other.right || box.right < other.left ||
        box.top > other.bottom || box.bottom < other.top);
      const clear = drawn.every((other) => other.peak === peak || Math.abs(other.x - at) > width / 2 || other.y > y - 6);
      if (free && clear && box.top > -2) placed.push({ ...box, at, y, kind, text, mz: peak.mz });
      if (placed.length === MOST_LABELS) break;
    }
    return placed.map(({ at, y, kind, text, mz }) => s("text", { class: `peak-label ${kind}`, "text-anchor": "middle" },
      text ? s("tspan", { x: at, y: y - 20, class: "label-formula" }, text) : null,
      s("tspan", { x: at, y: y - 8 }, mz.toFixed(4))));
  }

  /** Pointer -> coordinates of the plot. */
  at(event) {
    const box = this.svg.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * PLOT.width, ((event.clientY - box.top) / box.height) * PLOT.height];
  }

  nearest(x) {
    let best = null;
    for (const [peak, place] of this.places) {
      const far = Math.abs(place.x - x);
      if (far > NEAR) continue;
      if (!best || far < best.far - 1.5 || (Math.abs(far - best.far) <= 1.5 && peak.height > best.peak.height)) {
        best = { peak, far };
      }
    }
    return best?.peak ?? null;
  }

  move(event) {
    const [x] = this.at(event);
    if (this.pressed !== undefined) {
      this.brush.setAttribute("x", Math.min(x, this.pressed));
      this.brush.setAttribute("width", Math.abs(x - this.pressed));
      return;
    }
    const peak = this.nearest(x);
    if (peak || !this.pinned) this.choose(peak, false);
  }

  press(event) {
    if (event.button !== 0) return;
    [this.pressed] = this.at(event);
    this.svg.setPointerCapture(event.pointerId);
  }

  release(event) {
    if (this.pressed === undefined) return;
    const [x] = this.at(event);
    const from = this.pressed;
    this.pressed = undefined;
    this.brush.setAttribute("width", 0);
    if (Math.abs(x - from) > 8) {
      this.zoomTo(this.mzAt(Math.min(x, from)), this.mzAt(Math.max(x, from)));
    } else {
      const peak = this.nearest(x);
      this.pinned = peak && peak !== this.pinned ? peak : null;
      this.choose(peak, Boolean(this.pinned));
    }
  }

  leave() {
    if (this.pressed === undefined) this.choose(this.pinned ?? null, Boolean(this.pinned));
  }

  wheel(event) {
    if (!event.ctrlKey && !event.shiftKey) return; // the page scrolls
    event.preventDefault();
    const middle = this.mzAt(this.at(event)[0]);
    this.zoom((event.deltaY || event.deltaX) < 0 ? 0.7 : 1 / 0.7, middle);
  }

  zoom(factor, around) {
    const [low, high] = this.range;
    const middle = around ?? this.chosen?.mz ?? (low + high) / 2;
    this.zoomTo(middle - (middle - low) * factor, middle + (high - middle) * factor);
  }

  zoomTo(low, high) {
    const least = 0.02;
    if (high - low < least) [low, high] = [(low + high - least) / 2, (low + high + least) / 2];
    this.range = [Math.max(low, this.whole[0]), Math.min(high, this.whole[1])];
    this.draw();
    this.choose(this.chosen ?? null, Boolean(this.pinned));
  }

  key(event) {
    const keys = { ArrowRight: 1, ArrowLeft: -1 };
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key in keys) this.step(keys[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoom(0.6);
    else if (event.key === "-") this.zoom(1 / 0.6);
    else if (event.key === "0") this.zoomTo(...this.whole);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  step(by) {
    const shown = this.peaks.filter((peak) => this.inRange(peak));
    if (!shown.length) return;
    const at = shown.indexOf(this.chosen);
    const next = at < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(Math.max(at + by, 0), shown.length - 1);
    this.pinned = shown[next];
    this.choose(this.pinned, true);
  }

  choose(peak, pinned) {
    this.chosen = peak;
    const place = peak && this.places.get(peak);
    this.cursor.replaceChildren(...(place
      ? [s("path", { d: `M${place.x.toFixed(2)} ${this.base}V${place.y.toFixed(2)}` }),
        s("circle", { cx: place.x, cy: place.y, r: 6 })]
      : []));
    this.onchoose(peak, pinned, place);
  }
}
