"""The weights that we know: where they come from, their licence, and whether they are on this machine.

Nothing here goes online. What a source does not tell (a licence, a hash) is left empty.
"""

import dataclasses
import json
import os
from pathlib import Path

from specbridge_tools import pretrained
from specbridge_tools.provenance import sha256_file

HOME_VARIABLE = "SPECBRIDGE_HOME"
SHARED_VARIABLE = "SPECBRIDGE_SHARED"
SHIPPED_SOURCE = "specbridge_tools"


@dataclasses.dataclass(frozen=True)
class KnownWeights:
    """One entry of the table.

    role    `model` (spectra into the molecules' space), `spectral encoder` or `molecular encoder`
    dimension of its vectors, None where we do not know it
    sha256  as the source publishes it, '' where it does not
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

    status  present, absent, or damaged: its hash is not the published one
    path    where the file is, or would be
    sha256  of the file, '' where it is absent
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
_LONGEST_HEADER = 1 << 24
_SHIPPED_LICENCE = "CC-BY-SA-4.0"
_SHIPPED = {
    "model": ("default", "model", "the model that ships: what --model is without being asked"),
}
_FIRST = "model.safetensors"


def store_folder():
    """Where weights from elsewhere are kept: $SPECBRIDGE_HOME, else the user's cache folder. It may not exist yet."""
    if os.environ.get(HOME_VARIABLE):
        return Path(os.environ[HOME_VARIABLE])
    from platformdirs import user_cache_path

    return user_cache_path("specbridge_tools", appauthor=False)


def shared_folders():
    """Stores of others that are only read, in the order of $SPECBRIDGE_SHARED (joined by colons as $PATH is)."""
    return [Path(folder) for folder in os.environ.get(SHARED_VARIABLE, "").split(os.pathsep) if folder]


def own_path(weights, *, store=None):
    """Where the file of an entry of `KNOWN` belongs in the user's store: STORE/weights/NAME/FILE."""
    return (store_folder() if store is None else Path(store)) / "weights" / weights.name / weights.file


def local_path(weights, *, store=None):
    """Where the file of an entry of `KNOWN` is, the user's store before the shared ones; or where it would be."""
    own = own_path(weights, store=store)
    places = [own, *(own_path(weights, store=folder) for folder in shared_folders())]
    return next((path for path in places if path.is_file()), own)


def list_weights(*, store=None, shipped=None):
    """`LocalWeights` of what ships with the package (files of the folder `shipped`), then of `KNOWN`."""
    folder = pretrained.MODEL.parent if shipped is None else shipped
    names = {f"{stem}.safetensors" for stem in _SHIPPED} | {path.name for path in folder.glob("*.safetensors")}
    found = [_shipped(folder / name) for name in sorted(names, key=lambda name: (name != _FIRST, name))]
    return found + [_local(weights, local_path(weights, store=store)) for weights in KNOWN]


def _shipped(path):
    other = (path.stem.replace("_", "-"), "molecular encoder", "ships with the package")
    name, role, description = _SHIPPED.get(path.stem, other)
    dimension = _dimension(path) if path.is_file() else None
    return _local(
        KnownWeights(name, role, description, dimension, _SHIPPED_LICENCE, SHIPPED_SOURCE, path.name, ""), path
    )


def _local(weights, path):
    if not path.is_file():
        return LocalWeights(weights, "absent", str(path), "")
    digest = sha256_file(path)
    status = "damaged" if weights.sha256 and digest != weights.sha256 else "present"
    return LocalWeights(weights, status, str(path), digest)


def _dimension(path):
    """The first `dimension` in the JSON of a safetensors header (its length, 8 bytes little-endian, then JSON), or the
    width of a tensor `projection`."""
    with open(path, "rb") as file:
        header = file.read(min(int.from_bytes(file.read(8), "little"), _LONGEST_HEADER))
    try:
        header = json.loads(header)
        told = next(filter(None, (_found(json.loads(text)) for text in header["__metadata__"].values())), None)
        return told or header["projection"]["shape"][1]
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        return None


def _found(value):
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("dimension"), int):
        return value["dimension"]
    return _found(value.get("config"))
