"""The weights that we know: where they come from, their licence, and whether they are on this machine.

Nothing here goes online. What a source does not say (a licence, a hash) is left empty.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from specbridge_tools import pretrained
from specbridge_tools.errors import DataError
from specbridge_tools.provenance import sha256_file
from specbridge_tools.weights.tensor_file import read_shapes

HOME_VARIABLE = "SPECBRIDGE_HOME"
SHARED_VARIABLE = "SPECBRIDGE_SHARED"
SHIPPED_SOURCE = "specbridge_tools"


@dataclasses.dataclass(frozen=True)
class KnownWeights:
    """One entry of the table.

    Attributes:
        role: `model` (spectra into the molecules' space), `spectral encoder` or `molecular encoder`.
        dimension: Of its vectors, None where we do not know it.
        sha256: As the source publishes it, '' where it does not.
    """

    name: str
    role: str
    description: str
    dimension: int | None
    licence: str
    source: str
    file: str
    sha256: str = ""


@dataclasses.dataclass(frozen=True)
class LocalWeights:
    """An entry as it is on this machine.

    Attributes:
        status: present, absent, or damaged: its hash is not the published one.
        path: Where the file is, or would be.
        sha256: Of the file, '' where it is absent.
    """

    weights: KnownWeights
    status: str
    path: str
    sha256: str


_DREAMS = "https://doi.org/10.5281/zenodo.10997887"
_HUB = "https://huggingface.co/"
KNOWN = (
    KnownWeights(
        "dreams-ssl",
        "spectral encoder",
        "DreaMS transformer, self-supervised on public spectra",
        1024,
        "MIT",
        _DREAMS,
        "ssl_model.ckpt",
    ),
    KnownWeights(
        "dreams-embedding",
        "spectral encoder",
        "DreaMS transformer, fine-tuned so that similar molecules have similar embeddings",
        1024,
        "MIT",
        _DREAMS,
        "embedding_model.ckpt",
    ),
    KnownWeights(
        "chemberta-augmented-pubchem-13m",
        "molecular encoder",
        "RoBERTa on SMILES, masked tokens, 13 M augmented PubChem molecules",
        768,
        "Apache-2.0",
        _HUB + "Derify/ChemBERTa_augmented_pubchem_13m",
        "model.safetensors",
    ),
    KnownWeights(
        "chemberta-77m-mtr",
        "molecular encoder",
        "RoBERTa on SMILES, regression of many properties, 77 M PubChem molecules",
        384,
        "",
        _HUB + "DeepChem/ChemBERTa-77M-MTR",
        "pytorch_model.bin",
    ),
    KnownWeights(
        "chemberta-77m-mlm",
        "molecular encoder",
        "RoBERTa on SMILES, masked tokens, 77 M PubChem molecules",
        384,
        "",
        _HUB + "DeepChem/ChemBERTa-77M-MLM",
        "pytorch_model.bin",
    ),
    KnownWeights(
        "chemberta-zinc-base-v1",
        "molecular encoder",
        "RoBERTa on SMILES, masked tokens, ZINC molecules",
        768,
        "",
        _HUB + "seyonec/ChemBERTa-zinc-base-v1",
        "pytorch_model.bin",
    ),
)
_SHIPPED_LICENCE = "CC-BY-SA-4.0"
_SHIPPED = {
    "model": ("default", "model", "the model that ships: the default of --model"),
}
_FIRST = "model.safetensors"


def store_folder() -> Path:
    """Where weights from elsewhere are kept: $SPECBRIDGE_HOME, else the user's cache folder. It may not exist yet."""
    if os.environ.get(HOME_VARIABLE):
        return Path(os.environ[HOME_VARIABLE])
    from platformdirs import user_cache_path

    return user_cache_path("specbridge_tools", appauthor=False)


def shared_folders() -> list[Path]:
    """Stores of others that are only read, in the order of $SPECBRIDGE_SHARED (separated by colons, as in $PATH)."""
    return [Path(folder) for folder in os.environ.get(SHARED_VARIABLE, "").split(os.pathsep) if folder]


def own_path(weights: KnownWeights, *, store: str | Path | None = None) -> Path:
    """Where the file of an entry of `KNOWN` belongs in the user's store: STORE/weights/NAME/FILE."""
    return (store_folder() if store is None else Path(store)) / "weights" / weights.name / weights.file


def local_path(weights: KnownWeights, *, store: str | Path | None = None) -> Path:
    """Where the file of an entry of `KNOWN` is, the user's store before the shared ones; or where it would be."""
    own = own_path(weights, store=store)
    places = [own, *(own_path(weights, store=folder) for folder in shared_folders())]
    return next((path for path in places if path.is_file()), own)


def list_weights(*, store: str | Path | None = None, shipped: Path | None = None) -> list[LocalWeights]:
    """What ships with the package (files of the folder `shipped`), then what stands in `KNOWN`."""
    folder = pretrained.MODEL.parent if shipped is None else shipped
    names = {f"{stem}.safetensors" for stem in _SHIPPED} | {path.name for path in folder.glob("*.safetensors")}
    found = [_shipped(folder / name) for name in sorted(names, key=lambda name: (name != _FIRST, name))]
    return found + [_local(weights, local_path(weights, store=store)) for weights in KNOWN]


def _shipped(path: Path) -> LocalWeights:
    other = (path.stem.replace("_", "-"), "molecular encoder", "ships with the package")
    name, role, description = _SHIPPED.get(path.stem, other)
    dimension = _dimension(path) if path.is_file() else None
    return _local(
        KnownWeights(name, role, description, dimension, _SHIPPED_LICENCE, SHIPPED_SOURCE, path.name, ""), path
    )


def _local(weights: KnownWeights, path: Path) -> LocalWeights:
    if not path.is_file():
        return LocalWeights(weights, "absent", str(path), "")
    digest = sha256_file(path)
    status = "damaged" if weights.sha256 and digest != weights.sha256 else "present"
    return LocalWeights(weights, status, str(path), digest)


def _dimension(path: Path) -> int | None:
    """The `dimension` in the header of a tensor file, or the width of its tensor `projection`; None without either."""
    try:
        header, shapes = read_shapes(path)
    except DataError:
        return None
    projection = shapes.get("projection", ())
    return _in_header(header) or (projection[1] if len(projection) == 2 else None)


def _in_header(value: object) -> int | None:
    if not isinstance(value, dict):
        return None
    dimension = value.get("dimension")
    return dimension if isinstance(dimension, int) else _in_header(value.get("config"))
