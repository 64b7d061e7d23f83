"""The stores of weights on this machine: one of the user, and shared ones that are only read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import overload

from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.provenance import sha256_file
from specbridge_tools.streams import output_path
from specbridge_tools.weights import catalogue


def known(name: str) -> catalogue.KnownWeights:
    """The entry of the catalogue by its name; `UsageError` where there is none."""
    for entry in catalogue.KNOWN:
        if entry.name == name:
            return entry
    raise UsageError(f"no weights {name!r}", advice=f"known: {', '.join(entry.name for entry in catalogue.KNOWN)}")


@overload
def weight_file(source: str | Path) -> Path: ...


@overload
def weight_file(source: str | Path, *, missing_ok: bool) -> Path | None: ...


def weight_file(source: str | Path, *, missing_ok: bool = False) -> Path | None:
    """Path of a weight file given as a path, or as a name of the catalogue whose file is in a store.

    Raises:
        DataError: Where there is none; with `missing_ok` None is returned.
    """
    if Path(source).is_file():
        return Path(source)
    entry = next((entry for entry in catalogue.KNOWN if entry.name == str(source)), None)
    path = None if entry is None else catalogue.local_path(entry)
    if path is not None and path.is_file():
        return path
    if missing_ok:
        return None
    if entry is None:
        raise DataError("no such file, nor a name that `sb-models` lists", where=source)
    advice = f"sb-models add {entry.name} FILE, or sb-models fetch {entry.name}"
    raise DataError("is not on this machine", where=source, advice=advice)


def stored_spectral_encoders() -> list[Path]:
    """Paths of the spectral encoders' files that are in a store."""
    entries = [entry for entry in catalogue.KNOWN if entry.role == "spectral encoder"]
    return [path for path in map(catalogue.local_path, entries) if path.is_file()]


def add_weights(name: str, source: str | Path, *, force: bool = False) -> catalogue.LocalWeights:
    """Copy a file, or a folder in Hugging Face layout, into the user's store under a known name.

    Raises:
        DataError: Where the file is missing, or is not the published one, as far as its hash is published.
    """
    entry = known(name)
    is_folder = Path(source).is_dir()
    weights = Path(source) / entry.file if is_folder else Path(source)
    if not weights.is_file():
        raise DataError(f"no file {weights.name}", where=source)
    digest = sha256_file(weights)
    if entry.sha256 and digest != entry.sha256:
        raise DataError(
            f"SHA-256 {digest}, published is {entry.sha256}", where=weights, advice=f"download it from {entry.source}"
        )
    destination = catalogue.own_path(entry)
    destination.parent.mkdir(parents=True, exist_ok=True)
    for path in _beside(weights) if is_folder else []:
        _copy(path, destination.parent / path.name, force=True)
    _copy(weights, destination, force=force)
    return catalogue.LocalWeights(entry, "present", str(destination), digest)


def _beside(weights: Path) -> list[Path]:
    """The small files of a Hugging Face folder: configuration and tokenizer."""
    return [path for path in sorted(weights.parent.iterdir()) if path.suffix in (".json", ".txt", ".model")]


def _copy(source: Path, destination: Path, *, force: bool) -> None:
    with output_path(destination, force=force) as temporary:
        shutil.copyfile(source, temporary)
