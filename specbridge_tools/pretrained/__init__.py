"""What ships: a model, the molecules' space that it points into, known molecules, reference spectra; a card each."""

from pathlib import Path

_FOLDER = Path(__file__).parent
MODEL = _FOLDER / "model.safetensors"
MOLECULES = _FOLDER / "molecules.safetensors"
LIBRARY = _FOLDER / "library" / "library.safetensors"
REFERENCE = _FOLDER / "reference.h5"
