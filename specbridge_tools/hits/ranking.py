"""Candidates -> a ranked list: one entry a molecule, order and ranks that depend on nothing but the scores."""

import numpy as np


def ranked(candidates):
    """Best score first, equal scores by InChIKey block; of candidates with one block the best stays.

    Among equally good ones of a block, the one with the smaller mass error, then of the lower row.
    """
    error = np.abs(candidates.mass_error_ppm)
    order = np.lexsort((candidates.row, error, candidates.inchikey14, -candidates.score))
    return candidates.take(order[first_of_each(candidates.inchikey14[order])])


def first_of_each(values):
    """Ascending positions (m,) at which a value of `values` (n,) stands for the first time."""
    return np.sort(np.unique(values, return_index=True)[1])


def competition_ranks(scores):
    """Descending scores (n,) -> ranks (n,) int64 from 1; equal scores share the lowest of their ranks: 1, 1, 3."""
    place = np.arange(len(scores))
    starts = np.concatenate([[True], scores[1:] != scores[:-1]]) if len(scores) else np.zeros(0, bool)
    return np.maximum.accumulate(np.where(starts, place, 0)) + 1 if len(scores) else place
