"""Which model is used where the command does not say: for molecules, for spectra.

torch is imported where there is a model to load, and only then: it takes longer than most searches.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from specbridge_tools import pretrained
from specbridge_tools.bridge.model_process import ModelProcess, torch_is_here
from specbridge_tools.embeddings.space import CalibratedModel, Space
from specbridge_tools.errors import MismatchError
from specbridge_tools.search.queries.source import QuerySource
from specbridge_tools.weights.tensor_file import read_header

if TYPE_CHECKING:
    from specbridge_tools.bridge.model import AlignedModel

    Path: TypeAlias = str | os.PathLike[str]


def model_for_molecules(
    space: Space, name: str, *, path: str | os.PathLike[str] | None = None, threads: int | None = None
) -> AlignedModel | None:
    """The model at `path`, or without one the model that ships where it has a molecule head for `space`, else None.

    Args:
        space: Where the vectors live.
        name: Of the file that they are from.
        path: Of a model file.
        threads: None for all that the scheduler allows.

    Raises:
        MismatchError: Where the model at `path` belongs to another encoder.
    """
    if path is None and not _shipped_head_is_for(space):
        return None
    model = _load(path, device="cpu", threads=threads)
    if (model.molecule_encoder, model.molecule_encoder_sha256) != (space.encoder, space.weights_sha256):
        message = f"{name} belongs to {space}, but model {model.name} to {Space.of_model(model)}"
        raise MismatchError(message, advice="embed the molecules with the encoder that the model belongs to")
    return model


def model_for_spectra(
    source: QuerySource,
    *,
    path: str | os.PathLike[str] | None = None,
    needed: bool = False,
    device: str = "auto",
    threads: int | None = None,
) -> AlignedModel | None:
    """The model at `path`, or the one that ships; None for spectrum embeddings without `path`, unless `needed`."""
    if path is None and not needed and source.holds_embeddings:
        return None
    return _load(path, device=device, threads=threads)


@contextlib.contextmanager
def opened_model(
    model: Path | AlignedModel | None,
    path: Path | None,
    source: QuerySource,
    *,
    index: object,
    lists: object,
    device: str,
    threads: int,
) -> Iterator[tuple[CalibratedModel | None, Path | AlignedModel | None]]:
    """Yield (what encodes the spectra of a query, the model or its file).

    Some hundred spectra are encoded by a process of its own, while this one goes on, where there is a core for it.

    Args:
        model: A model file or a loaded model; None for the model that ships.
        path: Of its file, None for the one that ships.
        source: The spectra.
        index: What is searched; without it (None) spectrum embeddings need a model, too.
        lists: Candidate lists, whose molecules may have to be encoded as well, or None.
        device: Of the encoder.
        threads: Of the encoder.
    """
    if model is not None and not isinstance(model, (str, os.PathLike)):
        yield model, model
    elif source.is_moderate and lists is None and threads > 1 and not torch_is_here():
        with ModelProcess(path, device=device, threads=threads) as process:
            yield process, path
    else:
        loaded = model_for_spectra(source, path=path, needed=index is None, device=device, threads=threads)
        yield loaded, loaded or path


def _load(path: str | os.PathLike[str] | None, *, device: str, threads: int | None) -> AlignedModel:
    from specbridge_tools.bridge.checkpoint import load_model
    from specbridge_tools.threads import use_threads

    use_threads(threads)
    return load_model(path, device=device)


def _shipped_head_is_for(space: Space) -> bool:
    path = pretrained.MODEL
    if not path.is_file():
        return False
    config = read_header(path)["config"]
    belongs = (config["molecule_encoder"], config["molecule_encoder_sha256"]) == (space.encoder, space.weights_sha256)
    return belongs and config["molecule_head_depth"] > 0
