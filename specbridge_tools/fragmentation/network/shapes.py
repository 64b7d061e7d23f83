"""Which tensors a network of the ranker has: checked before a file's are used."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from specbridge_tools.errors import FormatError
from specbridge_tools.fragmentation.fragments.atom_features import N_ATOM_FEATURES, N_BOND_KINDS
from specbridge_tools.fragmentation.fragments.combine import MAX_PIECES
from specbridge_tools.fragmentation.network.numpy_network import Floats
from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS
from specbridge_tools.fragmentation.peaks.prepare import N_CONTEXT, N_PEAK_FEATURES
from specbridge_tools.weights.tensor_file import check_shapes

_ADVICE = "copy the model again, or train its ranker anew"
_SCALARS = ("scale", "formula")


def check_network(weights: Mapping[str, Floats], where: object) -> None:
    """Raise an error unless these are all tensors of one network, of the right shapes, and finite.

    Raises:
        FormatError: Where a value is not finite.
        MismatchError: Where names or shapes are others; it names them.
    """
    sizes = [len(weights[name]) if name in weights and weights[name].ndim else 0 for name in _SHOW_SIZES]
    expected = network_shapes(*sizes)
    found = {name: () if name in _SCALARS and value.size == 1 else value.shape for name, value in weights.items()}
    check_shapes(found, expected, where, advice=_ADVICE)
    for name, value in weights.items():
        if not np.isfinite(value).all():
            raise FormatError(f"tensor {name} of its ranker holds no finite numbers", where=where, advice=_ADVICE)


_SHOW_SIZES = ("atom1.bias", "piece1.bias", "hidden.bias", "floor1.bias", "weight1.bias")


def network_shapes(atom: int, hidden: int, last: int, floor: int, weight: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of each tensor of a network of these widths: of `torch_network`'s parameters."""
    both = atom + N_ATOM_FEATURES
    layers = {
        "atom1": (2 * N_ATOM_FEATURES, atom),
        "atom2": (2 * atom, atom),
        "atom3": (2 * atom, atom),
        "cut": (2 * atom + N_BOND_KINDS, atom),
        "piece1": (atom + both + 2, hidden),
        "piece2": (hidden, hidden),
        "molecule": (both + N_CONTEXT, hidden),
        "mass": (3, hidden),
        "hidden": (hidden, last),
        "out": (last, N_SHIFTS),
        "floor1": (N_PEAK_FEATURES + 1, floor),
        "floor2": (floor, 1),
        "weight1": (N_PEAK_FEATURES, weight),
        "weight2": (weight, 1),
    }
    shapes: dict[str, tuple[int, ...]] = {"taken": (MAX_PIECES + 1, hidden), "metal": (2,), "scale": (), "formula": ()}
    for name, (width_in, width_out) in layers.items():
        shapes |= {f"{name}.weight": (width_out, width_in), f"{name}.bias": (width_out,)}
    return shapes
