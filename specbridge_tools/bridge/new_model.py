"""The model that a training begins with: a new one, or one to train further."""

from __future__ import annotations

import dataclasses
import os

import torch

from specbridge_tools.bridge.checkpoint import SHIPPED_NAME, load_model
from specbridge_tools.bridge.model import AlignedModel, ModelConfig
from specbridge_tools.embeddings.molecules import open_molecule_embeddings
from specbridge_tools.encoders.base import LowRankEncoder
from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.errors import MismatchError, UsageError


@dataclasses.dataclass(frozen=True)
class ModelOptions:
    """What is trained.

    Attributes:
        spectral_encoder: As the registry spells it.
        start_from: Model file whose weights are trained further; its own configuration holds then, not the other
            fields.
        projector_hidden: See `ModelConfig`.
        projector_depth: See `ModelConfig`.
        molecule_head_depth: See `ModelConfig`.
        dropout: See `ModelConfig`.
        projector: See `ModelConfig`.
        lora_rank: Of the changes to the encoder's weights that learn; 0: the weights themselves learn.
    """

    spectral_encoder: str = "massbins"
    start_from: str | None = None
    projector_hidden: int = 512
    projector_depth: int = 2
    molecule_head_depth: int = 0
    dropout: float = 0.1
    projector: str = "residual"
    lora_rank: int = 0


def build_model(molecules: str | os.PathLike[str], options: ModelOptions, *, seed: int = 0) -> AlignedModel:
    """Make a new model, or load the one to start from.

    Args:
        molecules: File of molecule embeddings, in whose space the model is to place spectra.
        options: Which model.
        seed: Of new weights.

    Raises:
        MismatchError: If the model to start from belongs to another space.
        UsageError: If the encoder is not known, or has no low-rank changes and they are asked for.
    """
    with open_molecule_embeddings(molecules) as file:
        space = (file.encoder, file.weights_sha256, file.dimension)
    if options.start_from is None:
        return _new_model(space, options, seed)
    model = load_model(None if options.start_from == SHIPPED_NAME else options.start_from)
    if (model.molecule_encoder, model.molecule_encoder_sha256, model.dimension) != space:
        raise MismatchError(
            f"embeddings of {space[0]} ({space[1][:12]}), but {options.start_from} points to "
            f"{model.molecule_encoder} ({model.molecule_encoder_sha256[:12]})",
            where=molecules,
            advice="embed the molecules with the model's encoder",
        )
    return model


def _new_model(space: tuple[str, str, int], options: ModelOptions, seed: int) -> AlignedModel:
    torch.manual_seed(seed)
    encoder = SPECTRUM_ENCODERS.create(options.spectral_encoder)
    if options.lora_rank:
        if not isinstance(encoder, LowRankEncoder):
            raise UsageError(f"{options.spectral_encoder} has no weights for low-rank changes")
        encoder.add_low_rank(options.lora_rank)
    config = ModelConfig(
        encoder.describe(),
        *space,
        projector_hidden=options.projector_hidden,
        projector_depth=options.projector_depth,
        molecule_head_depth=options.molecule_head_depth,
        dropout=options.dropout,
        projector=options.projector,
    )
    return AlignedModel(config, encoder)


def parameter_counts(model: AlignedModel) -> tuple[int, int]:
    """Parameters that learn, and all, with the encoder's fixed frequencies but without the molecular encoder."""
    everything = [*model.parameters(), *model.buffers()]
    return sum(p.numel() for p in everything if p.requires_grad), sum(p.numel() for p in everything)
