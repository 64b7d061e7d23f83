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
        begins, ends = _windows(ascending, bounds, wanted - width, wanted + width)
        rows = np.empty((int((ends - begins).sum()), 3), np.int64)
        n = _in_windows(by_mass, hydrogens, bounds, begins, ends, SHIFTS, peaks.at_precursor, rows)
        rows[:, 1] += N_SHIFTS * charge_carrier
        matches.append(rows[:n])
    matches.append(_precursor_matches(batch.intact, peaks))
    return np.concatenate(matches)


@compiled
def _windows(
    masses: NDArray[np.float64],
    bounds: NDArray[np.int64],
    lowest: NDArray[np.float64],
    highest: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the masses of each of B candidates begin and end (B, p, shifts) that lie between two limits.

    Args:
        masses: (F,) ascending for each candidate.
        bounds: (B + 1,) where those of each candidate begin and end.
        lowest: (p, shifts) ascending with the peaks.
        highest: (p, shifts) ascending with the peaks.
    """
    n_peaks, n_shifts = lowest.shape
    begins = np.empty((len(bounds) - 1, n_peaks, n_shifts), np.int64)
    ends = np.empty((len(bounds) - 1, n_peaks, n_shifts), np.int64)
    for candidate in range(len(bounds) - 1):
        stop = bounds[candidate + 1]
        for shift in range(n_shifts):
            begin = end = bounds[candidate]
            for peak in range(n_peaks):
                while begin < stop and masses[begin] < lowest[peak, shift]:
                    begin += 1
                while end < stop and masses[end] <= highest[peak, shift]:
                    end += 1
                begins[candidate, peak, shift], ends[candidate, peak, shift] = begin, end
    return begins, ends


@compiled
def _in_windows(
    fragments: NDArray[np.int64],
    hydrogens: NDArray[np.int64],
    bounds: NDArray[np.int64],
    begins: NDArray[np.int64],
    ends: NDArray[np.int64],
    shifts: NDArray[np.int64],
    at_precursor: NDArray[np.bool_],
    rows: NDArray[np.int64],
) -> int:
    """Write the possible pairs of a fragment and a window: by candidate, peak, shift and mass.

    Args:
        fragments: (F,) the fragments of each candidate by their masses.
        hydrogens: (F,) of these.
        bounds: (B + 1,) where those of each candidate begin and end; its first fragment is the candidate itself.
        begins: (B, p, shifts) as `_windows` finds them.
        ends: (B, p, shifts) as `_windows` finds them.
        shifts: (shifts,).
        at_precursor: (p,) whether an intact candidate cannot be the peak.
        rows: (m, 3) room for all that lie in a window: takes fragment, place of the shift and peak.

    Returns:
        How many there are.
    """
    size = 0
    for candidate in range(begins.shape[0]):
        for peak in range(begins.shape[1]):
            for shift in range(begins.shape[2]):
                for row in range(begins[candidate, peak, shift], ends[candidate, peak, shift]):
                    is_intact = fragments[row] == bounds[candidate]
                    if hydrogens[row] + shifts[shift] >= 0 and not (is_intact and at_precursor[peak]):
                        rows[size, 0], rows[size, 1], rows[size, 2] = fragments[row], shift, peak
                        size += 1
    return size


def _precursor_matches(intact: NDArray[np.int64], peaks: Peaks) -> NDArray[np.int64]:
    at = np.flatnonzero(peaks.at_precursor)
    shift = peaks.kind.precursor_shift
    if shift is None:
        return np.zeros((0, 3), np.int64)
    ion = shift - SHIFTS[0] + N_SHIFTS * (len(peaks.kind.charge_carrier_masses()) - 1)
    columns = (np.tile(intact, len(at)), np.full(len(at) * len(intact), ion), np.repeat(at, len(intact)))
    return np.stack(columns, axis=1).astype(np.int64)
