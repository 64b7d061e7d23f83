"""The molecular encoder that a model belongs to, found by what the model says of it."""

from __future__ import annotations

import contextlib
import functools

from specbridge_tools.encoders.base import MoleculeEncoder
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.errors import DataError, MismatchError, UsageError


def encoder_of(
    name: str,
    weights_sha256: str,
    encoder: str | None = None,
    *,
    model: str,
    device: str = "cpu",
    batch_size: int = 64,
    threads: int | None = None,
) -> MoleculeEncoder:
    """Make the molecular encoder of a model.

    Args:
        name: Of the encoder, as the model has it.
        weights_sha256: Of the encoder.
        encoder: What makes it, as sb-embed-mols takes it, where its name does not say where its files are.
        model: Name of the model, for messages.
        device: That encodes.
        batch_size: Of the encoder.
        threads: That encode.

    Raises:
        MismatchError: `encoder` is not the model's.
        UsageError: It is not found without `encoder`.
    """
    create = functools.partial(MOLECULE_ENCODERS.create, device=device, batch_size=batch_size, threads=threads)
    if encoder:
        made: MoleculeEncoder = create(encoder)
        if made.weights_sha256 != weights_sha256:
            message = f"encoder {made.name} [weights {made.weights_sha256[:8]}] is not that of model {model}"
            raise MismatchError(message, advice=f"expected {name} [weights {weights_sha256[:8]}]")
        return made
    # a name may say which file it was, but not where: the one that ships is known
    for known in (name, "default"):
        with contextlib.suppress(DataError, UsageError):
            made = create(known)
            if made.weights_sha256 == weights_sha256:
                return made
    message = f"the molecular encoder {name} of model {model} was not found"
    raise UsageError(message, advice="--encoder says where it is, or --index names an index of the candidates")
