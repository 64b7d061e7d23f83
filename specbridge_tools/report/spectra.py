"""The spectra of one query as pictures, with the peaks that fragments of the best candidate explain."""

from specbridge_tools.fragmentation.network.explain import explain
from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks
from specbridge_tools.report.markup import element, image, joined
from specbridge_tools.report.spectrum_picture import HEIGHT, WIDTH, draw_spectrum

_MOST_FRAGMENTS = 8
_HEADINGS = ("m/z", "relative intensity", "formula of the ion", "fragment", "bonds cut")


def spectrum_pictures(hits, ranker):
    """One picture, caption and table of fragments for each spectrum of an `Hits` that has a candidate.

    ranker: `fragmentation.network.ranker.Ranker`, or None: then no peak is explained, and the caption says so.
    """
    smiles, adduct = hits.value("smiles"), hits.value("adduct")
    return joined(*(_picture(spectrum, smiles, adduct, ranker) for spectrum in hits.spectra))


def _picture(spectrum, smiles, adduct, ranker):
    peaks = prepare_peaks(spectrum, adduct or None)
    title = f"{spectrum.id}, precursor m/z {spectrum.precursor_mz:.4f}"
    if not len(peaks.mz):
        return element("p", f"{title}: no peak below the precursor.")
    explained = [] if ranker is None else explain(ranker, smiles, peaks)
    mz, intensity = peaks.mz.tolist(), peaks.intensity.tolist()
    svg = draw_spectrum(mz, intensity, explained={one.mz for one in explained}, precursor_mz=spectrum.precursor_mz)
    caption = f"{title}: {_counted(len(mz), spectrum.n_peaks)}; " + (
        "the model holds no ranker, which would tell what fragments explain."
        if ranker is None
        else f"{len(explained)} explained by fragments of the first candidate (blue)."
    )
    picture = image(svg, text=caption, width=WIDTH, height=HEIGHT)
    return joined(element("p", picture), element("p", caption), _fragments(explained, max(intensity)))


def _counted(n_shown, n_peaks):
    return f"{n_peaks} peaks" if n_shown == n_peaks else f"{n_shown} of {n_peaks} peaks, as the ranker sees them"


def _fragments(explained, highest):
    if not explained:
        return joined()
    rows = [element("tr", *(element("th", heading) for heading in _HEADINGS))]
    for one in sorted(explained, key=lambda one: -one.intensity)[:_MOST_FRAGMENTS]:
        cells = (
            f"{one.mz:.4f}",
            f"{one.intensity / highest:.1%}",
            one.fragment_formula,
            one.fragment_smiles,
            one.n_cuts,
        )
        rows.append(element("tr", *(element("td", cell) for cell in cells)))
    table = element("table", *rows, border=1, cellpadding=3, cellspacing=0)
    left_out = len(explained) - _MOST_FRAGMENTS
    return joined(table, element("p", f"{left_out} weaker explained peaks more.") if left_out > 0 else "")
