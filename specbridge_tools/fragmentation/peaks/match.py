"""Which fragment ion explains which peak."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.fragmentation.fragments.batch import CandidateBatch
from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS, SHIFTS
from specbridge_tools.fragmentation.peaks.prepare import Peaks

TOLERANCE_PPM = 10.0
LEAST_TOLERANCE = 0.0015  # Da


def tolerances(mz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half widths (Da) of the windows around peaks: 10 ppm, at least 1.5 mDa."""
    return np.maximum(mz * TOLERANCE_PPM * 1e-6, LEAST_TOLERANCE)


def match_ions(batch: CandidateBatch, peaks: Peaks) -> NDArray[np.int64]:
    """Find all pairs of a fragment ion and a peak within the tolerance.

    No ion has lost more hydrogens than its fragment had. Peaks of the precursor match every intact molecule, whatever
    its mass, so that the mass error of a candidate counts neither for nor against it.

    Returns:
        (m, 3) fragment, ion, peak; ion = charge carrier * N_SHIFTS + position of the hydrogen shift in SHIFTS.
    """
    order = np.argsort(batch.masses, kind="stable")
    ascending = batch.masses[order]
    is_intact = np.zeros(len(order), bool)
    is_intact[batch.intact] = True
    width = tolerances(peaks.mz)[:, None]
    matches = []
    for charge_carrier in range(len(peaks.kind.charge_carrier_masses())):
        wanted = peaks.mz[:, None] - peaks.kind.mz(0.0, SHIFTS, charge_carrier)
        low = np.searchsorted(ascending, wanted - width).ravel()
        count = np.searchsorted(ascending, wanted + width, side="right").ravel() - low
        pair = np.repeat(np.arange(len(count)), count)
        first = np.repeat(low - np.cumsum(count) + count, count)
        fragment = order[first + np.arange(len(pair))]
        peak, shift = pair // N_SHIFTS, pair % N_SHIFTS
        possible = (batch.hydrogens[fragment] + SHIFTS[shift] >= 0) & ~(is_intact[fragment] & peaks.at_precursor[peak])
        matches.append(np.stack([fragment, shift + N_SHIFTS * charge_carrier, peak], axis=1)[possible])
    matches.append(_precursor_matches(batch.intact, peaks))
    return np.concatenate(matches)


def _precursor_matches(intact: NDArray[np.int64], peaks: Peaks) -> NDArray[np.int64]:
    at = np.flatnonzero(peaks.at_precursor)
    shift = peaks.kind.precursor_shift
    if shift is None:
        return np.zeros((0, 3), np.int64)
    ion = shift - SHIFTS[0] + N_SHIFTS * (len(peaks.kind.charge_carrier_masses()) - 1)
    columns = (np.tile(intact, len(at)), np.full(len(at) * len(intact), ion), np.repeat(at, len(intact)))
    return np.stack(columns, axis=1).astype(np.int64)
