"""What the scripts of the page know of one query: plain values, which `markup.data_element` puts into the page.

Short where it is much: peaks are lists of numbers, the atoms of a fragment the bits of one hexadecimal number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.fragmentation.network.explain import Explanation
from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks
from specbridge_tools.hits.hits import Hits
from specbridge_tools.hits.level import candidate_levels, query_level
from specbridge_tools.reference.accessions import Accessions, ShownSpectrum
from specbridge_tools.report.candidates import NUMBERS, TEXTS
from specbridge_tools.report.identifiers import identified
from specbridge_tools.report.references import reference_evidence
from specbridge_tools.report.spectra import error_ppm
from specbridge_tools.report.structures import drawn
from specbridge_tools.spectra.spectrum import Spectrum

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
MOST_PEAKS = 250
"""Peaks of a spectrum that are shown, the most intense ones."""
_FULL_HEIGHT = 1000
_SIGN = re.compile(r"[+-]$")
_ABOUT = ("collision_energy", "instrument_type", "instrument")


def query_data(
    hits: Hits,
    explained: Sequence[Sequence[Sequence[Explanation]]],
    accessions: Accessions | None,
    *,
    top: int,
    truth: str,
    verdict: str,
) -> Mapping[str, Json]:
    """All of one query; `explained` as `spectra.explanations` makes it, the rest as in `page`."""
    references: list[ShownSpectrum] = []
    candidates = [
        _candidate(hits.take([row]), row, level, accessions, references, truth)
        for row, level in enumerate(candidate_levels(hits)[:top])
    ]
    return {
        "id": hits.query_id,
        "reason": "" if len(hits) else hits.reason or "no reason given",
        "repaired": hits.repaired,
        "usi": hits.value("usi"),
        "verdict": verdict,
        "level": query_level(hits),
        "polarity": polarity(hits),
        "listed": len(hits),
        "compared": hits.n_candidates,
        "candidates": candidates,
        "spectra": [
            _spectrum(spectrum, of_candidates, hits.value("adduct"))
            for spectrum, of_candidates in zip(hits.spectra, explained, strict=True)
        ],
        "references": [_reference(each) for each in references],
    }


def polarity(hits: Hits) -> str:
    """+ or -, by the adduct of the first candidate or else the first spectrum; '' where both do not say."""
    if sign := _SIGN.search(hits.value("adduct")):
        return sign[0]
    of_spectrum = next((spectrum.charge or spectrum.polarity for spectrum in hits.spectra), 0)
    return "+" if of_spectrum > 0 else "-" if of_spectrum < 0 else ""


def _candidate(
    one: Hits, row: int, level: str, accessions: Accessions | None, references: list[ShownSpectrum], truth: str
) -> Mapping[str, Json]:
    """The one candidate of some hits; its reference spectrum goes to `references` if it is not there yet."""
    texts = {name: one.value(name) for name in TEXTS}
    drawing = drawn(texts["smiles"])
    evidence = reference_evidence(one, accessions)
    values: dict[str, Json] = {
        "rank": texts["rank"] or str(row + 1),
        **{name: texts[name] for name in ("name", "smiles", "inchikey14", "formula", "adduct")},
        "ids": [list(pair) for pair in identified(texts["all_ids"] or texts["id"])],
        "level": level,
        "true": texts["inchikey14"] == truth,
        "figures": {name: _number(one.numbers(name)[0]) for name in NUMBERS if name in one.columns},
    }
    if not isinstance(drawing, str):
        values["atoms"] = np.round(drawing.atoms, 1).ravel().tolist()
        values["bonds"] = drawing.bonds.ravel().tolist()
    if evidence is not None:
        values["evidence"], values["match"] = evidence.words, evidence.label
        if evidence.spectrum is not None and len(evidence.spectrum.mz):
            names = [each.accession for each in references]
            if evidence.spectrum.accession not in names:
                names.append(evidence.spectrum.accession)
                references.append(evidence.spectrum)
            values["reference"] = names.index(evidence.spectrum.accession)
    return values


def _reference(shown: ShownSpectrum) -> Mapping[str, Json]:
    return {"name": shown.accession, "about": shown.about, **_peaks(*_strongest(shown.mz, shown.intensity))}


def _spectrum(spectrum: Spectrum, explained: Sequence[Sequence[Explanation]], adduct: str) -> Mapping[str, Json]:
    mz, intensity = _strongest(spectrum.mz, spectrum.intensity, [peak.mz for each in explained for peak in each])
    about = (spectrum.adduct or "", *(spectrum.metadata.get(name, "") for name in _ABOUT))
    return {
        "id": spectrum.id,
        "about": ", ".join(filter(None, about)),
        "precursor": round(spectrum.precursor_mz, 4),
        "n": spectrum.n_peaks,
        "seen": len(prepare_peaks(spectrum, adduct or None).mz),
        "explained": [[_explanation(peak, mz) for peak in each] for each in explained] if explained else None,
        **_peaks(mz, intensity),
    }


def _explanation(peak: Explanation, mz: NDArray[np.float64]) -> Sequence[Json]:
    """Place of the peak, formula, error (ppm), atoms as bits, SMILES, hydrogens gained, bonds cut, probability."""
    atoms = sum(1 << atom for atom in peak.atoms)
    return (
        int(np.searchsorted(mz, peak.mz)),
        peak.fragment_formula,
        round(error_ppm(peak), 2),
        f"{atoms:x}",
        peak.fragment_smiles,
        peak.hydrogen_shift,
        peak.n_cuts,
        float(f"{peak.probability:.2g}"),
    )


def _strongest(
    mz: NDArray[np.float64], intensity: NDArray[np.float32] | NDArray[np.float64], needed: Sequence[float] = ()
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The most intense peaks, and those whose m/z are needed, in order of m/z."""
    kept = np.isin(mz, needed)
    kept[np.argsort(-intensity, kind="stable")[:MOST_PEAKS]] = True
    return mz[kept].astype(np.float64), intensity[kept].astype(np.float64)


def _peaks(mz: NDArray[np.float64], intensity: NDArray[np.float64]) -> dict[str, Json]:
    """m/z, and heights of which the highest is `_FULL_HEIGHT`."""
    heights = intensity / max(float(intensity.max(initial=0.0)), 1e-300) * _FULL_HEIGHT
    return {"mz": np.round(mz, 4).tolist(), "height": np.round(heights, 1).tolist()}


def _number(value: float) -> float | None:
    return float(f"{value:.9g}") if math.isfinite(value) else None
