"""Which fragment ion explains which peak."""

import numpy as np

from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS, SHIFTS

TOLERANCE_PPM = 10.0
LEAST_TOLERANCE = 0.0015  # Da


def tolerances(mz):
    """Half widths (Da) of the windows around peaks: 10 ppm, at least 1.5 mDa."""
    return np.maximum(mz * TOLERANCE_PPM * 1e-6, LEAST_TOLERANCE)


def match_ions(batch, peaks):
    """All pairs of a fragment ion and a peak within the tolerance.

    batch: `CandidateBatch`; peaks: `Peaks`. Returns (matches, 3) int64: fragment, ion, peak; ion = carrier * N_SHIFTS +
    position of the hydrogen shift in SHIFTS. No ion has lost more hydrogens than its fragment had. Peaks of the
    precursor are given to every whole molecule, whatever its mass, so that the mass error of a candidate counts neither
    for nor against it.
    """
    order = np.argsort(batch.masses, kind="stable")
    ascending = batch.masses[order]
    is_whole = np.zeros(len(order), bool)
    is_whole[batch.intact] = True
    width = tolerances(peaks.mz)[:, None]
    found = []
    for carrier in range(len(peaks.kind.carriers())):
        wanted = peaks.mz[:, None] - peaks.kind.mz(0.0, SHIFTS, carrier)
        low = np.searchsorted(ascending, wanted - width).ravel()
        count = np.searchsorted(ascending, wanted + width, side="right").ravel() - low
        pair = np.repeat(np.arange(len(count)), count)
        first = np.repeat(low - np.cumsum(count) + count, count)
        fragment = order[first + np.arange(len(pair))]
        peak, shift = pair // N_SHIFTS, pair % N_SHIFTS
        kept = (batch.hydrogens[fragment] + SHIFTS[shift] >= 0) & ~(is_whole[fragment] & peaks.at_precursor[peak])
        found.append(np.stack([fragment, shift + N_SHIFTS * carrier, peak], axis=1)[kept])
    found.append(_precursor_matches(batch.intact, peaks))
    return np.concatenate(found)


def _precursor_matches(intact, peaks):
    at = np.flatnonzero(peaks.at_precursor)
    shift = peaks.kind.precursor_shift
    if shift is None:
        return np.zeros((0, 3), np.int64)
    ion = shift - SHIFTS[0] + N_SHIFTS * (len(peaks.kind.carriers()) - 1)
    columns = (np.tile(intact, len(at)), np.full(len(at) * len(intact), ion), np.repeat(at, len(intact)))
    return np.stack(columns, axis=1).astype(np.int64)
