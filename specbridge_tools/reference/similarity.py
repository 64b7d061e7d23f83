"""Spectral entropy similarity (Li et al., Nat. Methods 18, 1524, 2021), compiled.

Of weights a and b of two spectra, which sum to 1, it is half the sum over matching peaks of f(a + b) - f(a) - f(b),
f(x) = x log2 x: 1 for equal spectra, 0 without a common peak. Spectra of an entropy S below 3 (nats) have the weights
p ** (0.25 + 0.25 S), normalised, of their shares p of the intensity.

`ms_entropy`, the authors' library, keeps an index as a folder with pickled records, and m/z as float32; here a library
is one file that holds no code, and peaks at the edge of a window match alike whatever else is in the library.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.compiled import compiled
from specbridge_tools.reference.peaks import PRECURSOR_WINDOW, TOLERANCE, CleanSpectrum

Floats = NDArray[np.float64]
_PRECURSOR_WINDOW, _TOLERANCE = int(PRECURSOR_WINDOW), int(TOLERANCE)  # numba takes them as constants
_FULL_ENTROPY = 3.0


@compiled
def entropy_weights(intensity: NDArray[np.uint16], kept: NDArray[np.bool_]) -> Floats:
    """Weights (p,) of the peaks that are kept, 0 of the others; their sum is 1, or 0 where none is kept."""
    weights = np.zeros(len(intensity))
    total = 0.0
    for i in range(len(intensity)):
        if kept[i]:
            weights[i] = intensity[i]
            total += weights[i]
    if total == 0:
        return weights
    entropy = 0.0
    for i in range(len(weights)):
        if weights[i] > 0:
            weights[i] /= total
            entropy -= weights[i] * np.log(weights[i])
    if entropy < _FULL_ENTROPY:
        total = 0.0
        for i in range(len(weights)):
            if weights[i] > 0:
                weights[i] = weights[i] ** (0.25 + 0.25 * entropy)
                total += weights[i]
        for i in range(len(weights)):
            weights[i] /= total
    return weights


@compiled
def are_fragments(mz: NDArray[np.int32], precursor: int, charge: int) -> NDArray[np.bool_]:
    """Whether each peak is one of a fragment: below the precursor, of ions of several charges also above it."""
    kept = np.empty(len(mz), np.bool_)
    for i in range(len(mz)):
        below = mz[i] < precursor - _PRECURSOR_WINDOW
        kept[i] = below or (abs(charge) > 1 and mz[i] > precursor + _PRECURSOR_WINDOW)
    return kept


@compiled
def gain(a: float, b: float) -> float:
    """What two matching peaks of these weights, both above 0, add to a similarity."""
    both = a + b
    return (both * np.log2(both) - a * np.log2(a) - b * np.log2(b)) / 2


@compiled
def same_ion_similarities(
    spectra: NDArray[np.int64],
    starts: NDArray[np.int64],
    mz: NDArray[np.int32],
    intensity: NDArray[np.uint16],
    query_mz: NDArray[np.int32],
    query_weights: Floats,
) -> Floats:
    """Similarity of the query to each of these spectra, with the peak of the precursor.

    Args:
        spectra: (s,) of the n spectra.
        starts: (n + 1,) the peaks of spectrum i are those from starts[i] up to starts[i + 1].
        mz: (peaks,) of all spectra.
        intensity: (peaks,) of all spectra.
        query_mz: (q,) of the query.
        query_weights: (q,) `entropy_weights` of all its peaks.

    Returns:
        (s,).
    """
    similarity = np.zeros(len(spectra))
    for k in range(len(spectra)):
        low, high = starts[spectra[k]], starts[spectra[k] + 1]
        weights = entropy_weights(intensity[low:high], np.ones(high - low, np.bool_))
        j = low
        for i in range(len(query_mz)):
            while j < high and mz[j] < query_mz[i] - _TOLERANCE:
                j += 1
            if j < high and mz[j] <= query_mz[i] + _TOLERANCE:
                similarity[k] += gain(query_weights[i], weights[j - low])
    return similarity


@compiled
def fragment_weights(
    starts: NDArray[np.int64],
    mz: NDArray[np.int32],
    intensity: NDArray[np.uint16],
    precursor: NDArray[np.int32],
    charge: NDArray[np.int8],
) -> NDArray[np.float32]:
    """`entropy_weights` of the fragments of each of n spectra: (peaks,), 0 where a peak is no fragment."""
    weights = np.zeros(len(mz), np.float32)
    for i in range(len(starts) - 1):
        low, high = starts[i], starts[i + 1]
        # whole numbers of one kind, as for a query: it is compiled once
        kept = are_fragments(mz[low:high], np.int64(precursor[i]), np.int64(charge[i]))
        own = entropy_weights(intensity[low:high], kept)
        for peak in range(len(own)):
            weights[low + peak] = own[peak]
    return weights


@compiled
def _first_not_below(values: NDArray[np.int32], least: int) -> int:
    """The first place in ascending values whose value is at least this; numpy's own takes a second to compile."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < least:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def open_similarities(
    fragment_mz: NDArray[np.int32],
    fragment_spectrum: NDArray[np.int32],
    fragment_weight: NDArray[np.float32],
    loss: NDArray[np.int32],
    loss_fragment: NDArray[np.int32],
    query_mz: NDArray[np.int32],
    query_weights: Floats,
    query_precursor: int,
    shift: int,
    similarity: Floats,
    seen: NDArray[np.int32],
    used: NDArray[np.bool_],
) -> None:
    """Similarity of fragments, of neutral losses, of both and of shifted fragments, of a query to n spectra.

    Of both ("hybrid") means: fragments match first, then the losses of peaks that no fragment of the pair has matched.
    With shifted fragments instead of losses that compares ions of opposite polarity, whatever their precursors.

    Args:
        fragment_mz: (f,) of all spectra, ascending.
        fragment_spectrum: (f,) whose it is.
        fragment_weight: (f,) > 0.
        loss: (f,) precursor minus m/z of all fragments, ascending.
        loss_fragment: (f,) which fragment it is of.
        query_mz: (q,) of the fragments of the query.
        query_weights: (q,) their `entropy_weights`.
        query_precursor: Of the query.
        shift: What the m/z of a query's fragment exceeds that of a shifted fragment by, in units.
        similarity: (4, n) of 0: takes the result.
        seen: (n,) of 0: left with any numbers up to q.
        used: (f,) of False: left so.
    """
    for i in range(len(query_mz)):
        p = _first_not_below(fragment_mz, query_mz[i] - _TOLERANCE)
        while p < len(fragment_mz) and fragment_mz[p] <= query_mz[i] + _TOLERANCE:
            similarity[0, fragment_spectrum[p]] += gain(query_weights[i], np.float64(fragment_weight[p]))
            used[p] = True
            p += 1
    for spectrum in range(similarity.shape[1]):
        similarity[2, spectrum] = similarity[0, spectrum]
        similarity[3, spectrum] = similarity[0, spectrum]
    for i in range(len(query_mz)):
        p = _first_not_below(fragment_mz, query_mz[i] - _TOLERANCE)
        while p < len(fragment_mz) and fragment_mz[p] <= query_mz[i] + _TOLERANCE:
            seen[fragment_spectrum[p]] = i + 1
            p += 1
        query_loss = query_precursor - query_mz[i]
        k = _first_not_below(loss, query_loss - _TOLERANCE)
        while k < len(loss) and loss[k] <= query_loss + _TOLERANCE:
            p = loss_fragment[k]
            spectrum = fragment_spectrum[p]
            more = gain(query_weights[i], np.float64(fragment_weight[p]))
            similarity[1, spectrum] += more
            if not used[p] and seen[spectrum] != i + 1:
                similarity[2, spectrum] += more
            k += 1
        p = _first_not_below(fragment_mz, query_mz[i] - shift - _TOLERANCE)
        while p < len(fragment_mz) and fragment_mz[p] <= query_mz[i] - shift + _TOLERANCE:
            spectrum = fragment_spectrum[p]
            if not used[p] and seen[spectrum] != i + 1:
                similarity[3, spectrum] += gain(query_weights[i], np.float64(fragment_weight[p]))
            p += 1
    for i in range(len(query_mz)):
        p = _first_not_below(fragment_mz, query_mz[i] - _TOLERANCE)
        while p < len(fragment_mz) and fragment_mz[p] <= query_mz[i] + _TOLERANCE:
            used[p] = False
            p += 1


@compiled
def best_of_molecules(
    similarity: Floats, kind: NDArray[np.int8], molecule: NDArray[np.int32], best: Floats, spectrum: NDArray[np.int32]
) -> None:
    """The best spectrum of each molecule, of several the first.

    Args:
        similarity: (n,) of the spectra, 0 for none.
        kind: (n,) only those of kind 1 count.
        molecule: (n,) whose spectrum it is.
        best: (molecules,) what was found so far; takes the result.
        spectrum: (molecules,) which spectrum that is.
    """
    for i in range(len(similarity)):
        if similarity[i] > 0 and kind[i] == 1 and similarity[i] > best[molecule[i]]:
            best[molecule[i]] = similarity[i]
            spectrum[molecule[i]] = i


def same_ion_similarity(first: CleanSpectrum, second: CleanSpectrum) -> float:
    """Similarity of two spectra, with the peak of the precursor."""
    weights = entropy_weights(first.intensity, np.ones(len(first.mz), bool))
    starts = np.array([0, len(second.mz)])
    one = np.zeros(1, np.int64)
    return float(same_ion_similarities(one, starts, second.mz, second.intensity, first.mz, weights)[0])
