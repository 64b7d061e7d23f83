import pytest

from specbridge_tools.fragmentation.fragmenter import CAPACITY, COST_LIMIT
from specbridge_tools.fragmentation.ranker import Ranker
from specbridge_tools.fragmentation.ranker_file import FORMAT, FORMAT_VERSION

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

    from specbridge_tools.fragmentation.trainable import TrainableNetwork

    torch.manual_seed(1)
    return Ranker([TrainableNetwork().weights()], CONFIG)
