"""Which model is used where the command does not say: for molecules, for spectra.

torch is imported where there is a model to load, and only then: it takes longer than most searches.
"""

import json

from safetensors import safe_open

from specbridge_tools import pretrained
from specbridge_tools.embeddings.space import Space
from specbridge_tools.embeddings.spectra import holds_embeddings
from specbridge_tools.errors import MismatchError


def model_for_molecules(space, name, *, source=None, threads=None):
    """The model at `source`, or without one the model that ships where it has a molecule head for `space`, else None.

    space, name: where the vectors live, and the file they are from. Raises `MismatchError` where the model at `source`
    belongs to another encoder.
    """
    if source is None and not _shipped_head_is_for(space):
        return None
    model = _load(source, threads=threads)
    if (model.molecule_encoder, model.molecule_encoder_sha256) != (space.encoder, space.weights_sha256):
        message = f"{name} belongs to {space}, but model {model.name} to {Space.of_model(model)}"
        raise MismatchError(message, advice="embed the molecules with the encoder that the model belongs to")
    return model


def model_for_spectra(stream, *, source=None, needed=False, device="auto", threads=None):
    """The model at `source`, or the one that ships; None for spectrum embeddings without `source`, unless `needed`."""
    if source is None and not needed and holds_embeddings(stream):
        return None
    return _load(source, device=device, threads=threads)


def _load(source, *, device="cpu", threads=None):
    from specbridge_tools.bridge.checkpoint import load_model
    from specbridge_tools.threads import use_threads

    use_threads(threads)
    return load_model(source, device=device)


def _shipped_head_is_for(space):
    path = pretrained.MODEL
    if not path.is_file():
        return False
    with safe_open(path, framework="numpy") as file:
        config = json.loads(file.metadata()["specbridge"])["config"]
    belongs = (config["molecule_encoder"], config["molecule_encoder_sha256"]) == (space.encoder, space.weights_sha256)
    return belongs and config["molecule_head_depth"] > 0
