"""The options of sb-finetune by subject, and the typed values that they become."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from specbridge_tools.cli.options import Function, seed_option, tolerance_option

if TYPE_CHECKING:
    import torch

    from specbridge_tools.bridge.finetune import ModelOptions, PairOptions
    from specbridge_tools.bridge.training import TrainingOptions
    from specbridge_tools.spectra.reading import Reading

LOSS_NAMES = ("candidate", "infonce", "cosine", "mse")
DEFAULT_LOSSES = ("candidate=1", "infonce=0.5", "cosine=0.5")
_SHARE = click.FloatRange(0, 1, max_open=True)
_POSITIVE = click.FloatRange(min=0, min_open=True)
_COUNT = click.IntRange(min=1)
_JITTERS = ("intensity_jitter", "mz_jitter_ppm", "condition_dropout", "precursor_jitter_ppm")
_COUNT_OR_NONE = click.IntRange(min=0)

PRESETS = ("default", "specbridge")
# the published method as far as it is known: Wang et al., arXiv 2601.17204
_SPECBRIDGE: dict[str, Any] = {
    "spectral_encoder": "dreams:dreams-ssl",
    "projector": "published",
    "projector_hidden": 2048,
    "projector_depth": 8,
    "dropout": 0.0,
    "loss": ("mse=1",),
    "unfrozen_blocks": 2,
    "batch_size": 128,
    "spectra_per_molecule": 1_000_000,
    "learning_rate": 1e-4,
    "weight_decay": 0.01,
    "warmup_share": 0.05,
    "peak_dropout": 0.0,
}

_MODEL = (
    click.option(
        "--preset",
        type=click.Choice(PRESETS),
        default="default",
        help="The options that are not given; specbridge: the published method over the self-supervised DreaMS.",
    ),
    click.option("--start-from", metavar="MODEL", help="Train this model further; default is the one that ships."),
    click.option(
        "--spectral-encoder",
        default="massbins",
        metavar="NAME[:OPTIONS]",
        help="Encoder of a new model: massbins, dreams[:PATH] or toy.",
    ),
    click.option(
        "--projector", type=click.Choice(["residual", "published"]), default="residual", help="Kind of projector."
    ),
    click.option("--projector-hidden", type=_COUNT, metavar="N", default=512, help="Width of the projector."),
    click.option(
        "--projector-depth", type=_COUNT_OR_NONE, metavar="N", default=2, help="Residual blocks of the projector."
    ),
    click.option(
        "--molecule-head-depth", type=_COUNT_OR_NONE, metavar="N", default=0, help="Residual blocks on the molecules."
    ),
    click.option(
        "--dropout", type=_SHARE, metavar="SHARE", default=0.1, help="Dropout of projector and molecule head."
    ),
    click.option(
        "--lora-rank",
        type=_COUNT_OR_NONE,
        metavar="N",
        default=0,
        help="Rank of the changes trained beside the encoder's weights, which stay as they are; 0: the weights learn.",
    ),
)
_PAIRS = (
    tolerance_option(what="Largest deviation of a decoy's mass from that of the true molecule"),
    click.option("--max-decoys", type=_COUNT, metavar="N", default=256, help="Decoys kept for each molecule."),
)
_TRAINING = (
    click.option(
        "--loss",
        multiple=True,
        default=DEFAULT_LOSSES,
        metavar="NAME=WEIGHT",
        help=f"A loss and its weight; several add up. Known: {', '.join(LOSS_NAMES)}.",
    ),
    click.option("--decoys", type=_COUNT, metavar="N", default=24, help="Decoys drawn for each spectrum and step."),
    click.option(
        "--train",
        type=click.Choice(["both", "projector", "molecule-head"]),
        default="both",
        help="Which side of the bridge learns.",
    ),
    click.option(
        "--unfrozen-blocks",
        type=int,
        metavar="N",
        default=-1,
        help="Number of last blocks of the encoder that learn; -1: all of it.",
    ),
    click.option("--epochs", type=_COUNT_OR_NONE, metavar="N", default=30, help="Largest number of epochs."),
    click.option(
        "--patience",
        type=_COUNT_OR_NONE,
        metavar="N",
        default=0,
        help="Stop after so many epochs without a better value of --select-by; 0: never.",
    ),
    click.option(
        "--select-by",
        type=click.Choice(["mrr", "recall@1", "recall@5", "recall@20"]),
        default="mrr",
        help="The metric of the validation spectra whose best epoch is kept.",
    ),
    click.option("--batch-size", type=_COUNT, metavar="N", default=128, help="Spectra per step."),
    click.option(
        "--spectra-per-molecule", type=_COUNT, metavar="N", default=4, help="Spectra of each molecule per epoch."
    ),
    click.option("--learning-rate", type=_POSITIVE, metavar="X", default=5e-4, help="Highest learning rate of AdamW."),
    click.option(
        "--weight-decay",
        type=click.FloatRange(min=0),
        metavar="X",
        default=0.05,
        help="Weight decay of AdamW, on matrices.",
    ),
    click.option(
        "--warmup-share",
        type=_SHARE,
        metavar="SHARE",
        default=0.05,
        help="Share of the run in which the learning rate rises.",
    ),
    click.option("--clip-norm", type=_POSITIVE, metavar="X", default=1.0, help="Highest norm of the gradient."),
    click.option(
        "--peak-dropout", type=_SHARE, metavar="SHARE", default=0.2, help="Share of peaks left out at random."
    ),
    click.option(
        "--precision",
        type=click.Choice(["auto", "float32", "bfloat16"]),
        default="auto",
        help="Precision of the spectral encoder in training; auto: bfloat16 on a GPU, else float32.",
    ),
    click.option(
        "--gradient-checkpointing", "recompute", is_flag=True, help="Less memory for a third more time: dreams only."
    ),
    seed_option(what="everything random"),
)


def training_options(function: Function) -> Function:
    """Decorator: every option of model, pairs and training."""
    for option in reversed((*_MODEL, *_PAIRS, *_TRAINING)):
        function = option(function)
    return function


def typed_options(
    values: Mapping[str, Any], *, reading: Reading, device: torch.device
) -> tuple[ModelOptions, PairOptions, TrainingOptions]:
    """The values of these options by name, as click parsed them, for model, pairs and training."""
    from specbridge_tools.bridge.augmentation import Augmentation
    from specbridge_tools.bridge.finetune import ModelOptions, PairOptions
    from specbridge_tools.bridge.training import TrainingOptions
    from specbridge_tools.search.candidates.tolerance import Tolerance

    values = dict(values)
    published = values.pop("preset") == "specbridge"
    if published:
        values |= preset_values(values, click.get_current_context())
    model = ModelOptions(**{field.name: values.pop(field.name) for field in dataclasses.fields(ModelOptions)})
    tolerance = Tolerance.parse(values.pop("tolerance"))
    pairs = PairOptions(tolerance.value, tolerance.unit, values.pop("max_decoys"), reading)
    side, precision = values.pop("train"), values.pop("precision")
    jitter = dict.fromkeys(_JITTERS, 0.0) if published else {}
    training = TrainingOptions(
        losses=parse_losses(values.pop("loss")),
        n_decoys=values.pop("decoys"),
        train_projector=side in ("both", "projector"),
        train_molecule_head=side in ("both", "molecule-head"),
        augmentation=Augmentation(peak_dropout=values.pop("peak_dropout"), **jitter),
        bfloat16=precision == "bfloat16" or (precision == "auto" and device.type == "cuda"),
        **values,
    )
    return model, pairs, training


def preset_values(values: Mapping[str, Any], context: click.Context) -> dict[str, Any]:
    """The options of the preset `specbridge`: its own values where none was given; DreaMS peaks are averaged."""
    given = {name for name in _SPECBRIDGE if context.get_parameter_source(name) != ParameterSource.DEFAULT}
    chosen = {name: values[name] if name in given else value for name, value in _SPECBRIDGE.items()}
    encoder = chosen["spectral_encoder"]
    if encoder.startswith("dreams:") and "pooling=" not in encoder:
        chosen["spectral_encoder"] = f"{encoder},pooling=mean"
    return chosen


def parse_losses(texts: Iterable[str]) -> dict[str, float]:
    """`("candidate=1", "mse=0.5")` -> {"candidate": 1.0, "mse": 0.5}."""
    losses: dict[str, float] = {}
    for text in texts:
        name, _, weight = text.partition("=")
        if name not in LOSS_NAMES:
            raise click.BadParameter(f"unknown loss {name!r}; known: {', '.join(LOSS_NAMES)}", param_hint="--loss")
        try:
            losses[name] = float(weight or 1)
        except ValueError as error:
            raise click.BadParameter(f"{text!r}: the weight is not a number", param_hint="--loss") from error
    return losses
