"""Where the index of the library lies, and that the first use builds it: once, whoever asks at the same time."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from specbridge_tools import pretrained
from specbridge_tools.errors import DataError, SpecbridgeError, TryAgainError
from specbridge_tools.library.build import Target, build_library, reads_packed_bits
from specbridge_tools.library.packed import LibraryFacts, read_facts
from specbridge_tools.progress import progress
from specbridge_tools.provenance import sha256_values
from specbridge_tools.search.index.format import FORMAT_VERSION
from specbridge_tools.search.index.reader import open_index
from specbridge_tools.search.molecule_encoder import encoder_of
from specbridge_tools.streams import STDIO, TRY_AGAIN, Destination, output_path
from specbridge_tools.weights.catalogue import HOME_VARIABLE, shared_folders, store_folder
from specbridge_tools.weights.tensor_file import read_header

if TYPE_CHECKING:
    from specbridge_tools.bridge.model import AlignedModel

FOLDER = "library"
_ELSEWHERE = (
    f"set {HOME_VARIABLE} to a folder that can be written, or make the index with `sb-library build -o FILE` and give "
    "it as --index"
)
_KEY_LENGTH = 16
logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Making:
    """How an index is made where there is none yet.

    Attributes:
        encoder: What makes the molecular encoder, where the model's name for it does not say where its files are.
        device: Of the encoder.
        batch_size: Of the encoder.
        threads: None for all that the scheduler allows.
        quiet: Whether no progress is shown.
    """

    encoder: str | None = None
    device: str = "cpu"
    batch_size: int = 64
    threads: int | None = None
    quiet: bool = False


DEFAULT_MAKING = Making()


def library_facts() -> LibraryFacts:
    """What the library that ships says of itself."""
    if not pretrained.LIBRARY.is_file():
        message = "the library that ships with the package is missing"
        raise DataError(message, where=pretrained.LIBRARY, advice="install the package again, or give --index")
    return read_facts(pretrained.LIBRARY)


def target_of(model: str | os.PathLike[str] | AlignedModel | None) -> Target:
    """The space of a model, of its file, or of the one that ships (None), which is read no further than needed."""
    if model is not None and not isinstance(model, (str, os.PathLike)):
        return Target.of_model(model)
    config = read_header(pretrained.MODEL if model is None else model).get("config")
    if isinstance(config, dict) and config.get("molecule_head_depth") == 0:
        encoder, digest = config.get("molecule_encoder"), config.get("molecule_encoder_sha256")
        if isinstance(encoder, str) and isinstance(digest, str):
            return Target("default" if model is None else str(model), encoder, digest)
    from specbridge_tools.bridge.checkpoint import load_model

    return Target.of_model(load_model(model))


def index_name(facts: LibraryFacts, target: Target) -> str:
    """Name of the index file of a library for a space; another library or another encoder has another."""
    key = {"library": facts.sha256, "format": FORMAT_VERSION}
    key |= {"encoder": target.encoder, "weights": target.weights_sha256, "head": target.head_sha256}
    return f"library-{sha256_values(key)[:_KEY_LENGTH]}.h5"


def own_path(facts: LibraryFacts, target: Target) -> Path:
    """Where the index belongs in the user's store."""
    return store_folder() / FOLDER / index_name(facts, target)


def find_library(facts: LibraryFacts, target: Target) -> Path | None:
    """The index where it is there and whole: in a shared store, else in the user's; None where it is not."""
    name = index_name(facts, target)
    places = [folder / FOLDER / name for folder in (*shared_folders(), store_folder())]
    return next((path for path in places if _is_usable(path, facts, target)), None)


def library_index(
    model: str | os.PathLike[str] | AlignedModel | None = None, *, making: Making = DEFAULT_MAKING
) -> Path:
    """The index of the library that ships, for a model; the first use builds it into the user's store.

    Several processes that need it at once wait for the one that builds it. What a killed one has begun is not used.

    Args:
        model: A model, its file, or None for the one that ships.
        making: How to build it.

    Raises:
        DataError: The store cannot be written.
        TryAgainError: Its disk is full.
        UsageError: The molecular encoder of the model is not found.
    """
    facts, target = library_facts(), target_of(model)
    found = find_library(facts, target)
    if found is not None:
        return found
    path = own_path(facts, target)
    with _building(path):
        if not _is_usable(path, facts, target):
            write_index(facts, path, target, making=making, force=True)
    return path


def require_library(model: str | os.PathLike[str] | None = None) -> Path:
    """The index of the library for a model; raises `DataError` where it was not built yet."""
    facts, target = library_facts(), target_of(model)
    found = find_library(facts, target)
    if found is None:
        where = own_path(facts, target)
        raise DataError("the index of the library was not built yet", where=where, advice="sb-library build")
    return found


def build_ahead(
    output: Destination | None,
    model: str | os.PathLike[str] | None,
    *,
    making: Making = DEFAULT_MAKING,
    force: bool = False,
) -> tuple[str, int]:
    """Build the index into a file, or (None) into the user's store, where it is not there or `force` is set.

    Returns:
        Where it is, and how many molecules it holds.
    """
    facts = library_facts()
    if output is not None:
        write_index(facts, output, target_of(model), making=making, force=force)
        return "<stdout>" if output == STDIO else str(output), facts.n_molecules
    if not force:
        return str(library_index(model, making=making)), facts.n_molecules
    target = target_of(model)
    path = own_path(facts, target)
    with _building(path):
        write_index(facts, path, target, making=making, force=True)
    return str(path), facts.n_molecules


def write_index(
    facts: LibraryFacts,
    destination: Destination,
    target: Target,
    *,
    making: Making = DEFAULT_MAKING,
    force: bool = False,
) -> None:
    """Build the index of a library for a target."""
    encoder = encoder_of(
        target.encoder, target.weights_sha256, making.encoder, model=target.name, device=making.device,
        batch_size=making.batch_size, threads=making.threads,
    )  # fmt: skip
    how = "about half a minute" if reads_packed_bits(facts, encoder) else "minutes, as each molecule must be encoded"
    logger.info("building the index of the %d molecules that ship, once: %s (%s)", facts.n_molecules, destination, how)
    with (
        output_path(destination, force=force) as temporary,
        progress("building the library's index", total=facts.n_molecules, quiet=making.quiet) as display,
    ):
        build_library(facts, temporary, target, encoder, threads=making.threads, display=display)


def _is_usable(path: Path, facts: LibraryFacts, target: Target) -> bool:
    """Whether the index is there and can be opened; what is wrong with one that cannot is logged."""
    if not path.is_file():
        return False
    try:
        with open_index(path) as index:
            space = (index.space.encoder, index.space.weights_sha256, index.space.molecule_head_sha256)
            if index.n == facts.n_molecules and space == (target.encoder, target.weights_sha256, target.head_sha256):
                return True
            problem = "is of another library or model"
    except (SpecbridgeError, OSError) as error:
        problem = str(error)
    logger.warning("%s cannot be used: %s", path, problem)
    return False


@contextlib.contextmanager
def _building(path: Path) -> Iterator[None]:
    """Hold the lock of an index file; it goes with the process, however that ends."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        _cannot_write(path.parent, error)
    try:
        _wait_for(descriptor, path)
        yield
    except TryAgainError as error:
        error.advice = error.advice or _ELSEWHERE
        raise
    except PermissionError as error:
        _cannot_write(path.parent, error)
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        logger.info("waiting for another process, which builds %s", path)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        # a file system without locks: the index still appears whole or not at all
        logger.debug("no lock on %s", path)


def _cannot_write(folder: Path, error: OSError) -> NoReturn:
    kind = TryAgainError if error.errno in TRY_AGAIN else DataError
    message = f"the index of the library cannot be written there ({error.strerror or error})"
    raise kind(message, where=folder, advice=_ELSEWHERE) from error
