"""Write the weights as they ship: matrices in half precision, and the ranker of fragments with them.

ship.py MODEL.safetensors RANKER.safetensors OUTPUT.safetensors
"""

import sys
import tempfile
from pathlib import Path

from specbridge_tools.bridge.checkpoint import load_model, save_model
from specbridge_tools.fragmentation.ranker_file import add_ranker, load_ranker


def main(model, ranker, output):
    with tempfile.TemporaryDirectory() as folder:
        halved = Path(folder) / "model.safetensors"
        save_model(load_model(model), halved, half=True)
        add_ranker(load_ranker(ranker), halved, output, force=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
