"""Which model is used where the command does not say: for molecules, for spectra.

torch is imported where there is a model to load, and only then: it takes longer than most searches.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from specbridge_tools import pretrained
from specbridge_tools.embeddings.space import Space
from specbridge_tools.errors import MismatchError
from specbridge_tools.search.queries.source import QuerySource
from specbridge_tools.weights.tensor_file import read_header

if TYPE_CHECKING:
    from specbridge_tools.bridge.model import AlignedModel


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
