"""The spectra of one query as pictures, with the peaks that fragments of the best candidate explain."""

from __future__ import annotations

from collections.abc import Sequence

from specbridge_tools.fragmentation.network.explain import Explanation, explain
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks
from specbridge_tools.hits.hits import Hits
from specbridge_tools.report.markup import Markup, element, image, joined
from specbridge_tools.report.spectrum_picture import HEIGHT, WIDTH, draw_spectrum
from specbridge_tools.spectra.spectrum import Spectrum

_MOST_FRAGMENTS = 8
_HEADINGS = ("m/z", "relative intensity", "formula of the ion", "error (ppm)", "fragment", "bonds cut")
_OTHER_HEADINGS = ("candidate", "explained peaks", "of these also by the first candidate", "the most intense")


def explanations(hits: Hits, ranker: Ranker | None, *, top: int) -> list[list[list[Explanation]]]:
    """The explained peaks of each spectrum of a query, for each of its first `top` candidates."""
    if ranker is None or not len(hits):
        return [[] for _ in hits.spectra]
    smiles, adducts = (
        hits.column(name)[:top] if name in hits.columns else [""] * min(top, len(hits)) for name in ("smiles", "adduct")
    )
    return [
        [
            explain(ranker, structure, prepare_peaks(spectrum, adduct or None))
            for structure, adduct in zip(smiles, adducts, strict=True)
        ]
        for spectrum in hits.spectra
    ]


def error_ppm(explanation: Explanation) -> float:
    """By how much a peak lies above its ion."""
    return (explanation.mz - explanation.ion_mz) / explanation.ion_mz * 1e6


def spectrum_pictures(hits: Hits, explained: Sequence[Sequence[Sequence[Explanation]]]) -> Markup:
    """One picture, caption and table of fragments for each spectrum of a query that has a candidate.

    `explained` is that of `explanations`; where it has no candidate no peak is explained, and the caption says so.
    """
    adduct = hits.value("adduct")
    return joined(
        *(
            joined(_picture(spectrum, adduct, of_candidates[0] if of_candidates else None), _of_others(of_candidates))
            for spectrum, of_candidates in zip(hits.spectra, explained, strict=True)
        )
    )


def _picture(spectrum: Spectrum, adduct: str, explained: Sequence[Explanation] | None) -> Markup:
    peaks = prepare_peaks(spectrum, adduct or None)
    title = f"{spectrum.id}, precursor m/z {spectrum.precursor_mz:.4f}"
    if not len(peaks.mz):
        return element("p", f"{title}: no peak below the precursor.")
    mz, intensity = peaks.mz.tolist(), peaks.intensity.tolist()
    explained_mz = {explanation.mz for explanation in explained or ()}
    svg = draw_spectrum(mz, intensity, explained=explained_mz, precursor_mz=spectrum.precursor_mz)
    caption = f"{title}: {_counted(len(mz), spectrum.n_peaks)}; " + (
        "the model holds no ranker, which would tell what fragments explain."
        if explained is None
        else f"{len(explained)} explained by fragments of the first candidate (blue)."
    )
    picture = image(svg, text=caption, width=WIDTH, height=HEIGHT)
    return joined(element("p", picture), element("p", caption), _fragments(explained or (), max(intensity)))


def _of_others(explained: Sequence[Sequence[Explanation]]) -> Markup:
    """A table of the peaks that fragments of the candidates behind the first explain."""
    if len(explained) < 2:
        return joined()
    by_first = {peak.mz for peak in explained[0]}
    rows = [element("tr", *(element("th", heading) for heading in _OTHER_HEADINGS))]
    for number, peaks in enumerate(explained[1:], start=2):
        highest = sorted(peaks, key=lambda peak: -peak.intensity)[:_MOST_FRAGMENTS]
        cells = (
            number,
            len(peaks),
            sum(peak.mz in by_first for peak in peaks),
            ", ".join(f"{peak.mz:.4f} {peak.fragment_formula}" for peak in highest),
        )
        rows.append(element("tr", *(element("td", cell) for cell in cells)))
    return element("table", *rows, border=1, cellpadding=3, cellspacing=0)


def _counted(n_shown: int, n_peaks: int) -> str:
    return f"{n_peaks} peaks" if n_shown == n_peaks else f"{n_shown} of {n_peaks} peaks, as the ranker sees them"


def _fragments(explained: Sequence[Explanation], highest: float) -> Markup:
    """A table of the most intense explained peaks; highest: intensity of the base peak."""
    if not explained:
        return joined()
    rows = [element("tr", *(element("th", heading) for heading in _HEADINGS))]
    for peak in sorted(explained, key=lambda peak: -peak.intensity)[:_MOST_FRAGMENTS]:
        cells = (
            f"{peak.mz:.4f}",
            f"{peak.intensity / highest:.1%}",
            peak.fragment_formula,
            f"{error_ppm(peak):+.1f}",
            peak.fragment_smiles,
            peak.n_cuts,
        )
        rows.append(element("tr", *(element("td", cell) for cell in cells)))
    table = element("table", *rows, border=1, cellpadding=3, cellspacing=0)
    n_others = len(explained) - _MOST_FRAGMENTS
    return joined(table, element("p", f"{n_others} weaker explained peaks more.") if n_others > 0 else "")
