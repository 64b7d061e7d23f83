"""What is exported of one query: its ion, its best candidates and how sure the first of them is."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from specbridge_tools.errors import DataError
from specbridge_tools.hits.hits import Hits
from specbridge_tools.hits.level import LIBRARY_MATCH, MASS, TENTATIVE, candidate_levels, optional_numbers
from specbridge_tools.molecules.adducts import Adduct, parse_adduct
from specbridge_tools.molecules.formula import plain_formula
from specbridge_tools.molecules.source_pages import SourceId, source_id

EVIDENCE = {"reference": ("reference_id", "reference_similarity"), "analog": ("analog_id", "analog_score")}
"""Kind of evidence from reference spectra -> the columns of hits with the reference's id and with how alike it is."""
_TEXTS = ("id", "name", "smiles", "inchikey14", "formula", "adduct")
_NUMBERS = ("rank", "score", "probability", "exact_mass", "mass_error_ppm")


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One candidate; texts are '' and numbers NaN where the hits have none.

    Attributes:
        formula: As the hits have it, with a charge where the molecule has one.
        neutral_formula: In Hill order, without the charge.
        level: As `hits.level` derives it.
        ion: What `adduct` says; None for none.
        evidence: Kind of `EVIDENCE` -> (id of the reference spectrum or molecule, how alike it is), where there is any.
    """

    rank: int
    id: str
    name: str
    smiles: str
    inchikey14: str
    formula: str
    neutral_formula: str
    adduct: str
    exact_mass: float
    mass_error_ppm: float
    score: float
    probability: float
    level: str
    ion: Adduct | None
    evidence: Mapping[str, tuple[str, float]]

    @property
    def source(self) -> SourceId:
        """The id in two parts, database and accession."""
        return source_id(self.id)

    @property
    def theoretical_mz(self) -> float:
        """m/z of the ion by the molecule's mass; NaN where adduct or mass are unknown."""
        return math.nan if self.ion is None else self.ion.precursor_mz(self.exact_mass)

    @property
    def measured_mz(self) -> float:
        """m/z of the query, from the mass error; NaN where there is none."""
        measured = self.exact_mass / (1 - self.mass_error_ppm / 1e6)
        return math.nan if self.ion is None else self.ion.precursor_mz(measured)


@dataclasses.dataclass(frozen=True)
class Result:
    """One query and its best candidates.

    Attributes:
        hits: All of the query, with its spectra where they are known.
        candidates: The best ones, best first.
        mz: Of the precursor, by the spectrum, else by the first candidate; NaN where neither tells.
        charge: Without its sign; 0 where it is unknown.
        polarity: +1, -1, 0 where it is unknown.
        retention_time: Seconds; NaN where it is unknown.
        feature_id: FEATURE_ID of the spectrum, as MZmine and SIRIUS write it, else the query's id.
    """

    hits: Hits
    candidates: tuple[Candidate, ...]
    mz: float
    charge: int
    polarity: int
    retention_time: float
    feature_id: str

    @property
    def level(self) -> str:
        """The level of the first candidate, which is that of the query."""
        return self.candidates[0].level if self.candidates else MASS

    @property
    def reported(self) -> tuple[Candidate, ...]:
        """The structures that may be named as the answer: at level 2a the first, at 3 all tentative ones, else none."""
        if self.level == LIBRARY_MATCH:
            return self.candidates[:1]
        if self.level != TENTATIVE:
            return ()
        return tuple(candidate for candidate in self.candidates if candidate.level == TENTATIVE)


def result_of(hits: Hits, *, top: int) -> Result:
    """The query of `hits` with its first `top` candidates, 0 for all.

    Raises:
        DataError: The hits lack a column that every export needs, or a value is not what it should be.
    """
    candidates = tuple(_candidates(hits, top))
    first = candidates[0] if candidates else None
    spectrum = hits.spectra[0] if hits.spectra else None
    ion = first.ion if first else None
    charge = abs(ion.charge) if ion else spectrum.charge_size if spectrum else 0
    return Result(
        hits=hits,
        candidates=candidates,
        mz=spectrum.precursor_mz if spectrum else first.measured_mz if first else math.nan,
        charge=charge,
        polarity=_sign(ion.charge if ion else (spectrum.charge or spectrum.polarity) if spectrum else 0),
        retention_time=_number(spectrum.metadata.get("rtinseconds", "")) if spectrum else math.nan,
        feature_id=(spectrum.metadata.get("feature_id") if len(hits.spectra) == 1 and spectrum else "")
        or hits.query_id,
    )


def _candidates(hits: Hits, top: int) -> list[Candidate]:
    levels = candidate_levels(hits)[: top or None]
    listed = hits.take(slice(0, len(levels)))
    texts = {name: listed.column(name) if name in hits.columns else [""] * len(levels) for name in _TEXTS}
    numbers = {name: optional_numbers(listed, name).tolist() for name in _NUMBERS}
    of_kind = {kind: _evidence(listed, *columns) for kind, columns in EVIDENCE.items()}
    return [
        Candidate(
            rank=row + 1 if math.isnan(numbers["rank"][row]) else int(numbers["rank"][row]),
            id=texts["id"][row],
            name=texts["name"][row],
            smiles=texts["smiles"][row],
            inchikey14=texts["inchikey14"][row],
            formula=texts["formula"][row],
            neutral_formula=_neutral(texts["formula"][row], hits.query_id),
            adduct=texts["adduct"][row],
            exact_mass=numbers["exact_mass"][row],
            mass_error_ppm=numbers["mass_error_ppm"][row],
            score=numbers["score"][row],
            probability=numbers["probability"][row],
            level=level,
            ion=_ion(texts["adduct"][row], hits.query_id),
            evidence={kind: rows[row] for kind, rows in of_kind.items() if rows and rows[row][0]},
        )
        for row, level in enumerate(levels)
    ]


def _evidence(hits: Hits, id_column: str, number_column: str) -> list[tuple[str, float]]:
    if id_column not in hits.columns:
        return []
    return list(zip(hits.column(id_column), optional_numbers(hits, number_column).tolist(), strict=True))


def _neutral(formula: str, query_id: str) -> str:
    try:
        return plain_formula(formula) if formula else ""
    except DataError as error:
        raise _of_query(error, query_id) from error


def _ion(adduct: str, query_id: str) -> Adduct | None:
    if not adduct:
        return None
    try:
        return parse_adduct(adduct)
    except DataError as error:
        raise _of_query(error, query_id) from error


def _of_query(error: DataError, query_id: str) -> DataError:
    return DataError(f"query {query_id!r}: {error.message}", advice=error.advice)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
