"""Which fragment ion explains which peak."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.compiled import compiled
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
        (m, 3) fragment, ion, peak, by charge carrier, candidate, peak, shift and mass; ion = charge carrier * N_SHIFTS
        + position of the hydrogen shift in SHIFTS.
    """
    by_mass = batch.by_mass
    ascending, hydrogens = batch.masses[by_mass], batch.hydrogens[by_mass]
    bounds = np.append(batch.intact, len(by_mass))
    width = tolerances(peaks.mz)[:, None]
    matches = []
    for charge_carrier in range(len(peaks.kind.charge_carrier_masses())):
        wanted = peaks.mz[:, None] - peaks.kind.mz(0.0, SHIFTS, charge_carrier)
        rows = _in_windows(
            by_mass, ascending, hydrogens, bounds, wanted - width, wanted + width, SHIFTS, peaks.at_precursor
        )
        rows[:, 1] += N_SHIFTS * charge_carrier
        matches.append(rows)
    matches.append(_precursor_matches(batch.intact, peaks))
    return np.concatenate(matches)


@compiled
def _in_windows(
    fragments: NDArray[np.int64],
    masses: NDArray[np.float64],
    hydrogens: NDArray[np.int64],
    bounds: NDArray[np.int64],
    lowest: NDArray[np.float64],
    highest: NDArray[np.float64],
    shifts: NDArray[np.int64],
    at_precursor: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """The possible pairs (m, 3) of a fragment and the window of a shift and a peak.

    Args:
        fragments: (F,) the fragments of each candidate by their masses.
        masses: (F,) of these, ascending for each candidate.
        hydrogens: (F,) of these.
        bounds: (B + 1,) where those of each candidate begin and end; its first fragment is the candidate itself.
        lowest: (p, shifts) of the windows, ascending with the peaks.
        highest: (p, shifts) of the windows, ascending with the peaks.
        shifts: (shifts,).
        at_precursor: (p,) whether an intact candidate cannot be the peak.

    Returns:
        Fragment, place of the shift and peak; by candidate, peak, shift and mass.
    """
    n_peaks, n_shifts = lowest.shape
    begins, ends = np.empty((n_peaks, n_shifts), np.int64), np.empty((n_peaks, n_shifts), np.int64)
    found, size = np.empty((1024, 3), np.int64), 0
    for candidate in range(len(bounds) - 1):
        start, stop = bounds[candidate], bounds[candidate + 1]
        n_within = 0
        for shift in range(n_shifts):
            begin = end = start
            for peak in range(n_peaks):
                while begin < stop and masses[begin] < lowest[peak, shift]:
                    begin += 1
                end = max(end, begin)
                while end < stop and masses[end] <= highest[peak, shift]:
                    end += 1
                begins[peak, shift], ends[peak, shift] = begin, end
                n_within += end - begin
        if size + n_within > len(found):
            found = np.concatenate((found, np.empty((len(found) + n_within, 3), np.int64)))
        for peak in range(n_peaks):
            for shift in range(n_shifts):
                for row in range(begins[peak, shift], ends[peak, shift]):
                    is_intact = fragments[row] == start
                    if hydrogens[row] + shifts[shift] >= 0 and not (is_intact and at_precursor[peak]):
                        found[size, 0], found[size, 1], found[size, 2] = fragments[row], shift, peak
                        size += 1
    return found[:size].copy()


def _precursor_matches(intact: NDArray[np.int64], peaks: Peaks) -> NDArray[np.int64]:
    at = np.flatnonzero(peaks.at_precursor)
    shift = peaks.kind.precursor_shift
    if shift is None:
        return np.zeros((0, 3), np.int64)
    ion = shift - SHIFTS[0] + N_SHIFTS * (len(peaks.kind.charge_carrier_masses()) - 1)
    columns = (np.tile(intact, len(at)), np.full(len(at) * len(intact), ion), np.repeat(at, len(intact)))
    return np.stack(columns, axis=1).astype(np.int64)
