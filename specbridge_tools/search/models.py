"""Which model is used where the command does not say: for molecules, for spectra."""

from specbridge_tools.bridge.checkpoint import load_model, shipped_model_path
from specbridge_tools.errors import MismatchError
from specbridge_tools.search.queries import holds_embeddings
from specbridge_tools.search.space import Space


def model_for_molecules(space, name, *, source=None):
    """The model at `source`, or without one the model that ships where it belongs to the vectors' encoder, else None.

    space, name: where the vectors live, and the file they are from. Raises `MismatchError` where the model at `source`
    belongs to another encoder.
    """
    if source is None and not shipped_model_path().is_file():
        return None
    model = load_model(source)
    if (model.molecule_encoder, model.molecule_encoder_sha256) == (space.encoder, space.weights_sha256):
        return model
    if source is None:
        return None
    message = f"{name} belongs to {space}, but model {model.name} to {Space.of_model(model)}"
    raise MismatchError(message, advice="embed the molecules with the encoder that the model belongs to")


def model_for_spectra(stream, *, source=None, device="cpu"):
    """The model at `source`, or the one that ships; None for a stream of spectrum embeddings without `source`."""
    return None if source is None and holds_embeddings(stream) else load_model(source, device=device)
