"""How sure an identification is, as far as spectra alone can say.

The levels are those of Schymanski et al., Environ. Sci. Technol. 48, 2097 (2014), doi:10.1021/es5002105. Level 1 needs
a standard measured under the same conditions and 2b evidence beside the spectrum, so neither is ever given:

* 2a: a library match. The candidate's reference spectrum of the same ion has a similarity of `LIBRARY_SIMILARITY` to
  the query, and that of every other candidate is lower by `LIBRARY_MARGIN`.
* 3: a tentative candidate. Its probability is `CANDIDATE_PROBABILITY`, and its formula reaches level 4.
* 4: a formula. The probabilities of the candidates that have it sum to `FORMULA_PROBABILITY`.
* 5: a mass of interest: all else, queries without a candidate too.

A level is derived where it is shown and is no column of the hits: the thresholds are a way of reading them. How often
they are right on the example spectra stands in examples/USAGE.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.hits.hits import Hits

LIBRARY_MATCH, TENTATIVE, FORMULA, MASS = LEVELS = ("2a", "3", "4", "5")
LIBRARY_SIMILARITY = 0.8
LIBRARY_MARGIN = 0.1
CANDIDATE_PROBABILITY = 0.1
FORMULA_PROBABILITY = 0.5
_SAME_ION = "same_ion"


def candidate_levels(hits: Hits) -> list[str]:
    """The level of each candidate; without a probability and a library match, 5."""
    of_formula = formula_probabilities(hits)
    probability = optional_numbers(hits, "probability")
    levels = []
    for row, is_match in enumerate(_library_matches(hits)):
        if is_match:
            levels.append(LIBRARY_MATCH)
        elif of_formula[row] < FORMULA_PROBABILITY:
            levels.append(MASS)
        else:
            levels.append(TENTATIVE if probability[row] >= CANDIDATE_PROBABILITY else FORMULA)
    return levels


def query_level(hits: Hits) -> str:
    """The level of the first candidate; 5 without one."""
    return candidate_levels(hits)[0] if len(hits) else MASS


def formula_probabilities(hits: Hits) -> NDArray[np.float64]:
    """(n,) probability of each candidate's formula, summed over the candidates listed; 0 where nothing is known."""
    probability = np.nan_to_num(optional_numbers(hits, "probability"))
    if not len(hits) or "formula" not in hits.columns:
        return np.zeros(len(hits))
    formulas, of_candidate = np.unique(hits.column("formula"), return_inverse=True)
    sums = np.bincount(of_candidate, probability)
    return np.where(formulas == "", 0.0, sums)[of_candidate]


def optional_numbers(hits: Hits, name: str) -> NDArray[np.float64]:
    """(n,) a column of numbers, NaN where the table lacks the column or a value; raises `DataError` for other text."""
    if name not in hits.columns:
        return np.full(len(hits), np.nan)
    values = hits.candidates[name]
    if not isinstance(values, list):
        return hits.numbers(name)
    try:
        return np.array([float(text) if text else np.nan for text in values], np.float64)
    except ValueError as error:
        raise DataError(f"column {name} of query {hits.query_id}: {error}") from error


def _library_matches(hits: Hits) -> list[bool]:
    similarity = optional_numbers(hits, "reference_similarity")
    if "reference_kind" in hits.columns:
        kinds = hits.column("reference_kind")
        similarity = np.where([kind == _SAME_ION for kind in kinds], similarity, np.nan)
    similarity = np.nan_to_num(similarity, nan=-np.inf)
    matches = [False] * len(hits)
    if len(hits):
        best = int(similarity.argmax())
        others = np.delete(similarity, best).max(initial=-np.inf)
        matches[best] = bool(similarity[best] >= LIBRARY_SIMILARITY and similarity[best] - others >= LIBRARY_MARGIN)
    return matches
