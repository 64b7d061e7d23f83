"""Ranked candidates of a query -> its `Hits`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.hits.hits import COLUMNS, MISFIT, Column, Hits
from specbridge_tools.hits.probability import candidate_probabilities
from specbridge_tools.search.candidates.ranking import competition_ranks
from specbridge_tools.search.candidates.retrieve import Candidates

if TYPE_CHECKING:
    from specbridge_tools.search.candidates.query import Query
    from specbridge_tools.search.index.reader import Index
    from specbridge_tools.search.multi_index import MultiIndex


def hits_of_candidates(
    index: Index | MultiIndex,
    query: Query,
    candidates: Candidates,
    *,
    n_candidates: int,
    n_rows: int,
    calibration: Mapping[str, float] | None = None,
    misfit: NDArray[np.float64] | None = None,
) -> Hits:
    """The first `n_rows` of ranked candidates as `Hits`; `calibration` only where `candidates` holds all of them.

    `misfit` (n,) is that of their isotope patterns, where it was looked for.
    """
    ranks = competition_ranks(candidates.score)[:n_rows]
    if calibration is None:
        probability = np.full(len(ranks), np.nan)
    else:
        probability = candidate_probabilities(candidates.score, calibration, n_candidates=len(candidates))[:n_rows]
    candidates = candidates.take(slice(0, n_rows))
    adducts = [*(adduct.name for adduct in query.adducts), ""]
    columns: dict[str, Column] = {
        "rank": ranks,
        "score": candidates.score,
        "probability": probability,
        "inchikey14": candidates.inchikey14.astype(str).tolist(),
        "exact_mass": candidates.exact_mass,
        "adduct": [adducts[number] for number in candidates.adduct.tolist()],
        "mass_error_ppm": candidates.mass_error_ppm,
        **_texts(index, candidates.row),
        **({} if misfit is None else {MISFIT: misfit[:n_rows]}),
    }
    return Hits(
        query.id,
        query.record,
        COLUMNS,
        columns,
        n_candidates=n_candidates,
        spectra=query.spectra,
        repaired=query.repaired,
        usi=query.usi,
    )


def hits_without_candidates(query: Query, reason: str) -> Hits:
    """The `Hits` of a query that has no candidate, for a reason."""
    nothing = np.zeros(0)
    columns: dict[str, Column] = {
        name: [] for name in ("inchikey14", "smiles", "formula", "adduct", "id", "name", "all_ids")
    }
    columns |= {name: nothing for name in ("score", "probability", "exact_mass", "mass_error_ppm", MISFIT)}
    columns["rank"] = nothing.astype(np.int64)
    return Hits(
        query.id,
        query.record,
        COLUMNS,
        columns,
        reason=reason,
        n_candidates=0,
        spectra=query.spectra,
        repaired=query.repaired,
        usi=query.usi,
    )


def _texts(index: Index | MultiIndex, rows: NDArray[np.int64]) -> dict[str, Column]:
    """The text columns of rows in any order."""
    order = np.argsort(rows)
    back = np.empty(len(rows), np.int64)
    back[order] = np.arange(len(rows))
    places = back.tolist()
    ascending = {name: column.take(rows[order]) for name, column in index.texts.items()}
    return {name: [values[place] for place in places] for name, values in ascending.items()}
