"""MGF of the spectra with the best candidate of each as its annotation, as GNPS and matchms read it."""

from __future__ import annotations

import dataclasses
from typing import TextIO

from specbridge_tools.export.identifiers import identifiers
from specbridge_tools.export.numbers import decimal
from specbridge_tools.export.result import Candidate, Result
from specbridge_tools.spectra.mgf import mgf_text
from specbridge_tools.spectra.spectrum import Spectrum

NO_SPECTRUM = "no usable spectrum"
_STRUCTURE = ("name", "smiles", "inchi", "inchikey", "formula")


class AnnotatedMgfWriter:
    """Writes the spectra of queries to an open text file.

    Structure and name that a spectrum brought along are replaced, or removed where it has no candidate: what the file
    names is the answer alone.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, result: Result) -> str:
        """Write the spectra of one query; returns '', or why there are none."""
        candidate = result.candidates[0] if result.candidates else None
        for spectrum in result.hits.spectra:
            self._stream.write(mgf_text(_annotated(spectrum, candidate, result.level)))
        return "" if result.hits.spectra else NO_SPECTRUM


def _annotated(spectrum: Spectrum, candidate: Candidate | None, level: str) -> Spectrum:
    kept = {name: value for name, value in spectrum.metadata.items() if name not in _STRUCTURE}
    if candidate is None:
        return dataclasses.replace(spectrum, metadata=kept | {"level": level})
    inchi, inchikey = identifiers(candidate.smiles)
    annotation = {
        "name": candidate.name or candidate.smiles or candidate.inchikey14,
        "smiles": candidate.smiles,
        "inchi": inchi,
        "inchikey": inchikey or candidate.inchikey14,
        "formula": candidate.formula,
        "candidate_id": candidate.id,
        "score": decimal(candidate.score, ".9g"),
        "probability": decimal(candidate.probability, ".6g"),
        "level": level,
    }
    annotated = kept | {name: value for name, value in annotation.items() if value}
    return dataclasses.replace(spectrum, adduct=candidate.adduct or spectrum.adduct, metadata=annotated)
