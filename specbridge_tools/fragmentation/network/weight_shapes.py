"""The weights of a network of the ranker: types, names and shapes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.fragmentation.fragments.sizes import MAX_PIECES, N_ATOM_FEATURES, N_BOND_KINDS
from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS
from specbridge_tools.fragmentation.peaks.prepare import N_CONTEXT, N_PEAK_FEATURES

Floats = NDArray[np.float32]
Weights = Mapping[str, Floats]  # of one network, by the names of `torch_network`'s parameters
Shape = tuple[int, ...]
_SIZES_OF = {"atom": "atom1.bias", "hidden": "piece1.bias", "last": "hidden.bias", "peak": "floor1.bias"}


def expected_shapes(weights: Weights) -> dict[str, Shape]:
    """{name: shape} of a network whose widths are those of these weights, 1 where they do not show.

    Scalars are (1,), as they are stored.
    """
    sizes = {size: max(1, weights[name].size) if name in weights else 1 for size, name in _SIZES_OF.items()}
    atom, hidden, last, peak = sizes.values()
    both = atom + N_ATOM_FEATURES
    linear: Mapping[str, tuple[int, int]] = {
        "atom1": (atom, 2 * N_ATOM_FEATURES),
        "atom2": (atom, 2 * atom),
        "atom3": (atom, 2 * atom),
        "cut": (atom, 2 * atom + N_BOND_KINDS),
        "piece1": (hidden, atom + both + 2),
        "piece2": (hidden, hidden),
        "molecule": (hidden, both + N_CONTEXT),
        "mass": (hidden, 3),
        "hidden": (last, hidden),
        "out": (N_SHIFTS, last),
        "floor1": (peak, N_PEAK_FEATURES + 1),
        "floor2": (1, peak),
        "weight1": (peak, N_PEAK_FEATURES),
        "weight2": (1, peak),
    }
    shapes: dict[str, Shape] = {"taken": (MAX_PIECES + 1, hidden), "metal": (2,), "scale": (1,), "formula": (1,)}
    for name, (n_out, n_in) in linear.items():
        shapes |= {f"{name}.weight": (n_out, n_in), f"{name}.bias": (n_out,)}
    return shapes
