// The peaks of a query's spectra: those of one, or of all merged, and which candidates explain them.

const MERGE_PPM = 10;
const MERGE_LEAST = 0.002;
const SAME_AS_REFERENCE = 0.01;
const [PLACE, FORMULA, PPM, ATOMS, SMILES, SHIFT, CUTS, CHANCE] = [0, 1, 2, 3, 4, 5, 6, 7];

/** The peaks of one spectrum: {mz, height (0 to 1), of: [explanation of each candidate or undefined]}. */
function peaksOf(spectrum) {
  const peaks = spectrum.mz.map((mz, i) => ({ mz, height: spectrum.height[i] / 1000, of: [] }));
  (spectrum.explained ?? []).forEach((explained, candidate) => {
    for (const each of explained) {
      if (peaks[each[PLACE]]) peaks[each[PLACE]].of[candidate] = each;
    }
  });
  return peaks;
}

/** All spectra as one: peaks of the same m/z are one, as high as they are together; its formula is the highest one's. */
function mergedPeaks(spectra) {
  const all = spectra.flatMap(peaksOf).sort((a, b) => a.mz - b.mz);
  const merged = [];
  let group = [];
  const close = () => {
    if (!group.length) return;
    const height = group.reduce((sum, peak) => sum + peak.height, 0);
    const mz = height ? group.reduce((sum, peak) => sum + peak.mz * peak.height, 0) / height : group[0].mz;
    const of = [];
    for (const peak of [...group].sort((a, b) => a.height - b.height)) {
      peak.of.forEach((each, candidate) => { if (each) of[candidate] = each; });
    }
    merged.push({ mz, height, of });
    group = [];
  };
  for (const peak of all) {
    const last = group[group.length - 1];
    if (last && peak.mz - last.mz > Math.max(MERGE_LEAST, last.mz * MERGE_PPM * 1e-6)) close();
    group.push(peak);
  }
  close();
  const highest = Math.max(...merged.map((peak) => peak.height), 1e-9);
  for (const peak of merged) peak.height /= highest;
  return merged;
}

/** The peaks of a reference spectrum; `shared` says whether the query has a peak there. */
function referencePeaks(reference, peaks) {
  return reference.mz.map((mz, i) => ({
    mz,
    height: reference.height[i] / 1000,
    shared: peaks.some((peak) => Math.abs(peak.mz - mz) <= SAME_AS_REFERENCE),
  }));
}

/** Who explains a peak: "both", "first" (the chosen candidate), "second" (the one beside it), or "none". */
function explainedBy(peak, first, second) {
  const [one, other] = [peak.of[first], second === null ? undefined : peak.of[second]];
  if (second === null) return one ? "first" : "none";
  return one && other ? "both" : one ? "first" : other ? "second" : "none";
}

/** {both, first, second, none}: number of peaks, and share of the intensity. */
function comparison(peaks, first, second) {
  const total = peaks.reduce((sum, peak) => sum + peak.height, 0) || 1;
  const counts = {};
  for (const kind of ["both", "first", "second", "none"]) {
    const chosen = peaks.filter((peak) => explainedBy(peak, first, second) === kind);
    counts[kind] = { n: chosen.length, share: chosen.reduce((sum, peak) => sum + peak.height, 0) / total };
  }
  return counts;
}

/** Numbers of the atoms whose bits are set in a hexadecimal number. */
function atomsOf(explanation) {
  const atoms = [];
  const digits = explanation[ATOMS];
  for (let i = 0; i < digits.length; i += 1) {
    const value = parseInt(digits[digits.length - 1 - i], 16);
    for (let bit = 0; bit < 4; bit += 1) if (value & (1 << bit)) atoms.push(4 * i + bit);
  }
  return atoms;
}
