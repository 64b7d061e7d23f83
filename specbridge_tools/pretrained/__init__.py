"""What ships with the package: a model and the molecules' space that it points into; MODEL_CARD.md describes them."""

from pathlib import Path

_FOLDER = Path(__file__).parent
MODEL = _FOLDER / "model.safetensors"
MOLECULES = _FOLDER / "molecules.safetensors"
