import collections

import numpy as np
import pytest

from specbridge_tools.fragmentation.fragments.fragmenter import CAPACITY, COST_LIMIT
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.ranker_file import FORMAT, FORMAT_VERSION

CONFIG = {
    "format": FORMAT,
    "format_version": FORMAT_VERSION,
    "capacity": CAPACITY,
    "limit": COST_LIMIT,
    "cosine_weight": 2.0,
    "fragment_weight": 1.0,
}


@pytest.fixture(scope="session")
def ranker():
    """A ranker whose weights are the seeded start of training."""
    import torch

    from specbridge_tools.fragmentation.network.torch_network import TrainableNetwork

    torch.manual_seed(1)
    return Ranker([TrainableNetwork().weights()], CONFIG)


@pytest.fixture(scope="session")
def atoms_of_ion():
    """A function of `Fragments`, the number of one and a hydrogen shift: {symbol: count} of that ion."""

    def atoms_of(fragments, index, shift):
        inside = fragments.atoms(index)
        atoms = collections.Counter(np.array(fragments.graph.elements)[inside].tolist())
        atoms["H"] = int(fragments.graph.hydrogens[inside].sum() + shift)
        return {symbol: count for symbol, count in atoms.items() if count}

    return atoms_of
