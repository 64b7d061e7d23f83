"""Write the weights as they ship: matrices in half precision, and the networks of one or more rankers with them.

ship.py MODEL.safetensors OUTPUT.safetensors RANKER.safetensors...

The configuration is that of the first ranker. No other may have learned from a molecule that it held back.
"""

import sys
import tempfile
from pathlib import Path

from specbridge_tools.bridge.checkpoint import load_model, save_model
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.ranker_file import add_ranker, load_ranker


def main(model, output, *paths):
    rankers = [load_ranker(path) for path in paths]
    if any(set(rankers[0].config["held_back"]) - set(other.config["held_back"]) for other in rankers):
        raise SystemExit("the rankers were trained on different molecules")
    ranker = Ranker([weights for part in rankers for weights in part.networks], rankers[0].config)
    with tempfile.TemporaryDirectory() as folder:
        halved = Path(folder) / "model.safetensors"
        save_model(load_model(model), halved, half=True)
        add_ranker(ranker, halved, output, force=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
