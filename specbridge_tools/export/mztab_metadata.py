"""The metadata section of mzTab-M: every field that the specification makes mandatory, in its order."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from specbridge_tools.export.numbers import decimal
from specbridge_tools.export.result import Candidate
from specbridge_tools.molecules.source_pages import DATABASES
from specbridge_tools.provenance import CREATED_BY

VERSION = "2.0.0-M"
DATABASE_PREFIX = "sb"
_CV_VERSION = "4.1.258"  # in which the terms used here stand
_POLARITIES = {1: "[MS, MS:1000130, positive scan, ]", -1: "[MS, MS:1000129, negative scan, ]"}
_NOT_QUANTIFIED = "[, , not quantified, ]"


class Measure(NamedTuple):
    """A confidence measure: its name, its value of a candidate (NaN for none), and how that is printed."""

    name: str
    value: Callable[[Candidate], float]
    spec: str

    @property
    def parameter(self) -> str:
        return f"[, , {self.name}, ]"

    def of(self, candidate: Candidate) -> str:
        """Its value as text, '' for none."""
        return decimal(self.value(candidate), self.spec)


MEASURES = (
    Measure("specbridge probability", lambda candidate: candidate.probability, ".6g"),
    Measure("specbridge score", lambda candidate: candidate.score, ".9g"),
    Measure(
        "similarity to a reference spectrum",
        lambda candidate: candidate.evidence.get("reference", ("", math.nan))[1],
        ".6g",
    ),
)
"""The most important first: candidates are ranked by the score, and the probability never contradicts it."""


def metadata(
    identifier: str, location: str | None, *, polarities: Collection[int], databases: Collection[str] = ()
) -> Iterator[tuple[str, str]]:
    """Yield (field, value) of each line.

    Args:
        identifier: Of the file.
        location: URI of the file of spectra; None where it is unknown.
        polarities: Signs of the ions: +1, -1.
        databases: Prefixes of `molecules.source_pages` that the molecules' ids have; other ids get `DATABASE_PREFIX`.
    """
    yield "mzTab-version", VERSION
    yield "mzTab-ID", identifier
    yield "description", "Candidate molecules of MS/MS spectra; abundances are not measured"
    yield "software[1]", f"[MS, MS:1000799, custom unreleased software tool, {CREATED_BY}]"
    yield "quantification_method", _NOT_QUANTIFIED
    yield "ms_run[1]-location", location or "null"
    for number, polarity in enumerate(sorted(polarities, reverse=True), start=1):
        yield f"ms_run[1]-scan_polarity[{number}]", _POLARITIES[polarity]
    yield "assay[1]", "spectra"
    yield "assay[1]-ms_run_ref", "ms_run[1]"
    yield "study_variable[1]", "undefined"
    yield "study_variable[1]-assay_refs", "assay[1]"
    yield "study_variable[1]-description", "all spectra"
    yield "cv[1]-label", "MS"
    yield "cv[1]-full_name", "PSI-MS controlled vocabulary"
    yield "cv[1]-version", _CV_VERSION
    yield "cv[1]-uri", "https://purl.obolibrary.org/obo/ms.obo"
    yield from _databases(databases)
    yield "small_molecule-quantification_unit", _NOT_QUANTIFIED
    yield "small_molecule_feature-quantification_unit", _NOT_QUANTIFIED
    yield (
        "small_molecule-identification_reliability",
        "[MS, MS:1002955, hr-ms compound identification confidence level, ]",
    )
    for number, measure in enumerate(MEASURES, start=1):
        yield f"id_confidence_measure[{number}]", measure.parameter


def _databases(prefixes: Collection[str]) -> Iterator[tuple[str, str]]:
    known = {prefix: (DATABASES[prefix].name, DATABASES[prefix].home) for prefix in sorted(prefixes)}
    described = {DATABASE_PREFIX: ("molecules that were searched", "null")} | known
    for number, (prefix, (name, uri)) in enumerate(described.items(), start=1):
        yield f"database[{number}]", f"[, , {name}, ]"
        yield f"database[{number}]-prefix", prefix
        yield f"database[{number}]-version", "Unknown"
        yield f"database[{number}]-uri", uri
