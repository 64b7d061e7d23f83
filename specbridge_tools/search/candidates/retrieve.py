"""Which molecules are compared with a spectrum, and how they score: by mass, by formula, from a list."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.formula import mass_of_formula, plain_formula
from specbridge_tools.search.candidates.tolerance import Tolerance
from specbridge_tools.search.index.exact_scores import exact_scores
from specbridge_tools.search.index.reader import Index

if TYPE_CHECKING:
    from specbridge_tools.search.candidates.lists import CandidateLists
    from specbridge_tools.search.candidates.query import Query

# Molecules of one formula have one mass; this only covers the rounding of another program's masses.
_FORMULA_WINDOW = 0.001  # Da
_BLOCK_ROWS = 8192


@dataclasses.dataclass(frozen=True)
class Candidates:
    """n molecules of the index, in no particular order.

    Attributes:
        row: (n,), row of the index.
        inchikey14: (n,) S14.
        exact_mass: (n,), Da.
        score: (n,).
        adduct: (n,), which of the query's adducts explains the candidate, -1 for none.
        mass_error_ppm: (n,), neutral mass by that adduct minus exact mass, in ppm of the neutral mass; NaN for none.
    """

    row: NDArray[np.int64]
    inchikey14: NDArray[np.bytes_]
    exact_mass: NDArray[np.float64]
    score: NDArray[np.float64]
    adduct: NDArray[np.int64]
    mass_error_ppm: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.row)

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Candidates:
        """The candidates that `chosen` (numbers, mask or slice) picks, in its order."""
        return Candidates(*(getattr(self, field.name)[chosen] for field in dataclasses.fields(self)))

    def without_adduct(self) -> Candidates:
        """The same, explained by no adduct."""
        none, unknown = np.full(len(self), -1), np.full(len(self), np.nan)
        return dataclasses.replace(self, adduct=none, mass_error_ppm=unknown)

    @classmethod
    def concatenate(cls, parts: Sequence[Candidates]) -> Candidates:
        """All of several, at least one."""
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def by_mass(index: Index, query: Query, tolerance: Tolerance) -> Candidates:
    """All molecules whose mass lies within `tolerance` of the neutral mass by any of the query's adducts.

    A molecule that several adducts explain is one candidate, with the adduct of the smallest mass error.
    """
    parts = []
    for number, adduct in enumerate(query.adducts):
        neutral = adduct.neutral_mass(query.precursor_mz)
        if neutral <= 0:
            continue
        low, masses = index.mass_window(*tolerance.window(neutral))
        high = low + len(masses)
        parts.append(
            Candidates(
                np.arange(low, high),
                index.inchikey14.read(low, high),
                masses,
                _range_scores(index, low, high, query.vector),
                np.full(high - low, number),
                (neutral - masses) / neutral * 1e6,
            )
        )
    if not parts:
        return of_rows(index, query, np.zeros(0, np.int64), np.zeros(0))
    if len(parts) == 1:
        return parts[0]
    merged = Candidates.concatenate(parts)
    best_first = merged.take(np.lexsort((merged.adduct, np.abs(merged.mass_error_ppm), merged.row)))
    return best_first.take(np.unique(best_first.row, return_index=True)[1])


def by_formula(index: Index, query: Query) -> Candidates:
    """All molecules of the query's formula."""
    mass = mass_of_formula(query.formula)
    low, masses = index.mass_window(mass - _FORMULA_WINDOW, mass + _FORMULA_WINDOW)
    formulas = index.texts["formula"].read(low, low + len(masses))
    same = {formula for formula in set(formulas) if _is_formula(formula, query.formula)}
    rows = low + np.array([i for i, formula in enumerate(formulas) if formula in same], np.int64)
    return of_rows(index, query, rows, scores_of_rows(index, query, rows))


def by_list(index: Index, query: Query, lists: CandidateLists) -> Candidates:
    """The molecules of the list that belongs to the query, whatever their mass."""
    rows = lists.rows.get(list_name(query, lists), np.zeros(0, np.int64))
    return of_rows(index, query, rows, scores_of_rows(index, query, rows))


def list_name(query: Query, lists: CandidateLists) -> str:
    """How `lists` name the list of a query."""
    return query.list_id if lists.key == "list_id" else query.id


def _is_formula(text: str, plain: str) -> bool:
    try:
        return plain_formula(text) == plain
    except DataError:
        return False


def of_rows(index: Index, query: Query, rows: NDArray[np.int64], scores: NDArray[np.float64]) -> Candidates:
    """Candidates by ascending row numbers (n,), each with the adduct that comes closest to its mass."""
    masses = index.exact_mass.take(rows)
    neutral = np.array([adduct.neutral_mass(query.precursor_mz) for adduct in query.adducts])
    errors = (neutral - masses[:, None]) / neutral * 1e6  # (n, adducts)
    closest = np.abs(errors).argmin(axis=1)
    error = errors[np.arange(len(rows)), closest]
    return Candidates(rows, index.inchikey14.take(rows), masses, scores, closest, error)


def scores_of_rows(index: Index, query: Query, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Scores (n,) of ascending row numbers (n,)."""
    scores = np.empty(len(rows))
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = index.embedding.take(rows[start : start + _BLOCK_ROWS])
        scores[start : start + len(block)] = exact_scores(block, query.vector[None])[:, 0]
    return scores


def _range_scores(index: Index, low: int, high: int, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    scores = np.empty(high - low)
    for start in range(low, high, _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, high)
        scores[start - low : stop - low] = exact_scores(index.embedding.read(start, stop), vector[None])[:, 0]
    return scores
