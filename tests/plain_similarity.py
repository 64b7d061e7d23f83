"""Similarities as their definition says, peak by peak: what the compiled search must equal."""

import math

from specbridge_tools.reference.peaks import PRECURSOR_WINDOW, TOLERANCE

OF_TWO_PROTONS = 20_146  # 0.1 mDa


def weights(intensities):
    total = sum(intensities)
    if not total:
        return []
    shares = [each / total for each in intensities]
    entropy = -sum(share * math.log(share) for share in shares)
    if entropy >= 3:
        return shares
    raised = [share ** (0.25 + 0.25 * entropy) for share in shares]
    return [each / sum(raised) for each in raised]


def of_pairs(pairs):
    """Half the entropy that matching weights share."""
    f = lambda x: x * math.log2(x)  # noqa: E731
    return sum(f(a + b) - f(a) - f(b) for a, b in pairs) / 2


def peaks(spectrum, fragments=False):
    """[(m/z, weight)] of all peaks, or of the fragments."""
    chosen = [
        (int(mz), float(intensity))
        for mz, intensity in zip(spectrum.mz, spectrum.intensity, strict=True)
        if not fragments
        or mz < spectrum.precursor - PRECURSOR_WINDOW
        or (abs(spectrum.charge) > 1 and mz > spectrum.precursor + PRECURSOR_WINDOW)
    ]
    return list(zip([mz for mz, _ in chosen], weights([each for _, each in chosen]), strict=True))


def matches(first, second):
    """[(place, place)] of values that differ by the tolerance at most."""
    return [(i, j) for i, a in enumerate(first) for j, b in enumerate(second) if abs(a - b) <= TOLERANCE]


def same_ion(first, second):
    a, b = peaks(first), peaks(second)
    return of_pairs([(a[i][1], b[j][1]) for i, j in matches([mz for mz, _ in a], [mz for mz, _ in b])])


def open_search(first, second):
    """(fragments, losses, hybrid, fragments of the other polarity)."""
    a, b = peaks(first, fragments=True), peaks(second, fragments=True)
    fragments = matches([mz for mz, _ in a], [mz for mz, _ in b])
    losses = matches([first.precursor - mz for mz, _ in a], [second.precursor - mz for mz, _ in b])
    shift = first.polarity * OF_TWO_PROTONS
    shifted = matches([mz for mz, _ in a], [mz + shift for mz, _ in b])
    taken, others = {i for i, _ in fragments}, {j for _, j in fragments}
    both, turned = (
        [*fragments, *((i, j) for i, j in more if i not in taken and j not in others)] for more in (losses, shifted)
    )
    return tuple(of_pairs([(a[i][1], b[j][1]) for i, j in pairs]) for pairs in (fragments, losses, both, turned))
