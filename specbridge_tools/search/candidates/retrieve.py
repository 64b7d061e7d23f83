"""Which molecules are compared with a spectrum, and how they score: by mass, by formula."""

import dataclasses

import numpy as np

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.formula import mass_of_formula, plain_formula
from specbridge_tools.search.index.exact_scores import exact_scores

# Molecules of one formula have one mass; this only covers the rounding of another program's masses.
_FORMULA_WINDOW = 0.001  # Da
_BLOCK_ROWS = 8192


@dataclasses.dataclass(frozen=True)
class Candidates:
    """n molecules of the index, in no particular order.

    row             (n,) int64, row of the index
    inchikey14      (n,) S14
    exact_mass      (n,) float64, Da
    score           (n,) float64
    adduct          (n,) int64, which of the query's adducts explains the candidate, -1 for none
    mass_error_ppm  (n,) float64, neutral mass by that adduct minus exact mass, in ppm of the neutral mass; NaN for none
    """

    row: np.ndarray
    inchikey14: np.ndarray
    exact_mass: np.ndarray
    score: np.ndarray
    adduct: np.ndarray
    mass_error_ppm: np.ndarray

    def __len__(self):
        return len(self.row)

    def take(self, chosen):
        """The candidates that `chosen` (numbers or mask) picks, in its order."""
        return Candidates(*(getattr(self, field.name)[chosen] for field in dataclasses.fields(self)))


def by_mass(index, query, tolerance):
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
    columns = zip(*(dataclasses.astuple(part) for part in parts), strict=True)
    every = Candidates(*(np.concatenate(column) for column in columns))
    best_first = every.take(np.lexsort((every.adduct, np.abs(every.mass_error_ppm), every.row)))
    return best_first.take(np.unique(best_first.row, return_index=True)[1])


def by_formula(index, query):
    """All molecules of the query's formula, which is as `plain_formula` writes it."""
    mass = mass_of_formula(query.formula)
    low, masses = index.mass_window(mass - _FORMULA_WINDOW, mass + _FORMULA_WINDOW)
    formulas = index.texts["formula"].read(low, low + len(masses))
    same = {formula for formula in set(formulas) if _is_formula(formula, query.formula)}
    rows = low + np.array([i for i, formula in enumerate(formulas) if formula in same], np.int64)
    return of_rows(index, query, rows, scores_of_rows(index, query, rows))


def by_list(index, query, lists):
    """The molecules of the list that belongs to the query, whatever their mass; lists: `lists.CandidateLists`."""
    rows = lists.rows.get(list_name(query, lists), np.zeros(0, np.int64))
    return of_rows(index, query, rows, scores_of_rows(index, query, rows))


def list_name(query, lists):
    """How `lists` name the list of a query."""
    return query.list_id if lists.key == "list_id" else query.id


def _is_formula(text, plain):
    try:
        return plain_formula(text) == plain
    except DataError:
        return False


def of_rows(index, query, rows, scores):
    """Candidates by ascending row numbers, each with the adduct that comes closest to its mass."""
    masses = index.exact_mass.take(rows)
    neutral = np.array([adduct.neutral_mass(query.precursor_mz) for adduct in query.adducts])
    errors = (neutral - masses[:, None]) / neutral * 1e6  # (n, adducts)
    closest = np.abs(errors).argmin(axis=1)
    error = errors[np.arange(len(rows)), closest]
    return Candidates(rows, index.inchikey14.take(rows), masses, scores, closest, error)


def scores_of_rows(index, query, rows):
    """Scores of ascending row numbers, (n,) float64."""
    starts = range(0, len(rows), _BLOCK_ROWS)
    blocks = [index.embedding.take(rows[start : start + _BLOCK_ROWS]) for start in starts]
    return np.concatenate([np.zeros(0), *(exact_scores(block, query.vector[None])[:, 0] for block in blocks)])


def _range_scores(index, low, high, vector):
    scores = np.empty(high - low)
    for start in range(low, high, _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, high)
        scores[start - low : stop - low] = exact_scores(index.embedding.read(start, stop), vector[None])[:, 0]
    return scores
