"""The options of sb-finetune by subject, and the typed values that they become."""

import click
from click.core import ParameterSource

LOSS_NAMES = ("candidate", "infonce", "cosine", "mse")
DEFAULT_LOSSES = ("candidate=1", "infonce=0.5", "cosine=0.5")
_SHARE = click.FloatRange(0, 1, max_open=True)
_POSITIVE = click.FloatRange(min=0, min_open=True)
_COUNT = click.IntRange(min=1)
_JITTERS = ("intensity_jitter", "mz_jitter_ppm", "condition_dropout", "precursor_jitter_ppm")
_COUNT_OR_NONE = click.IntRange(min=0)

PRESETS = ("default", "specbridge")
# the published method as far as it is known: Wang et al., arXiv 2601.17204
_SPECBRIDGE = {
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
        help="What holds where nothing is given; specbridge: the published method over the self-supervised DreaMS.",
    ),
    click.option("--start-from", metavar="MODEL", help="Train this model further; `default` is the one that ships."),
    click.option("--spectral-encoder", default="dreams", metavar="NAME[:OPTIONS]", help="Encoder of a new model."),
    click.option(
        "--projector", type=click.Choice(["residual", "published"]), default="residual", help="Kind of projector."
    ),
    click.option("--projector-hidden", type=_COUNT, default=512, help="Width of the projector."),
    click.option("--projector-depth", type=_COUNT_OR_NONE, default=2, help="Residual blocks of the projector."),
    click.option("--molecule-head-depth", type=_COUNT_OR_NONE, default=0, help="Residual blocks on the molecules."),
    click.option("--dropout", type=_SHARE, default=0.1, help="Of projector and molecule head."),
    click.option(
        "--lora-rank",
        type=_COUNT_OR_NONE,
        default=0,
        help="Rank of trained changes beside the encoder's weights, which stay as they are; 0: the weights learn.",
    ),
)
_PAIRS = (
    click.option("--tolerance-ppm", type=_POSITIVE, default=10.0, help="Mass window of the decoys."),
    click.option("--max-decoys", type=_COUNT, default=256, help="Decoys kept for each molecule."),
)
_TRAINING = (
    click.option(
        "--loss", multiple=True, default=DEFAULT_LOSSES, metavar="NAME=WEIGHT", help=f"{', '.join(LOSS_NAMES)}."
    ),
    click.option("--decoys", type=_COUNT, default=24, help="Decoys drawn for each spectrum and step."),
    click.option(
        "--train",
        type=click.Choice(["both", "projector", "molecule-head"]),
        default="both",
        help="Which side of the bridge learns.",
    ),
    click.option(
        "--unfrozen-blocks", type=int, default=-1, help="Last blocks of the encoder that learn; -1: all of it."
    ),
    click.option("--epochs", type=_COUNT_OR_NONE, default=30, help="Epochs at most."),
    click.option(
        "--patience", type=_COUNT_OR_NONE, default=0, help="Epochs without a better MRR before the end; 0: no end."
    ),
    click.option("--batch-size", type=_COUNT, default=128, help="Spectra a step."),
    click.option("--spectra-per-molecule", type=_COUNT, default=4, help="Spectra of each molecule in an epoch."),
    click.option("--learning-rate", type=_POSITIVE, default=5e-4, help="Highest rate of AdamW."),
    click.option("--weight-decay", type=click.FloatRange(min=0), default=0.05, help="Of AdamW, on matrices."),
    click.option("--warmup-share", type=_SHARE, default=0.05, help="Share of the run in which the rate rises."),
    click.option("--clip-norm", type=_POSITIVE, default=1.0, help="Highest norm of the gradient."),
    click.option("--peak-dropout", type=_SHARE, default=0.2, help="Share of peaks left out at random."),
    click.option(
        "--precision",
        type=click.Choice(["auto", "float32", "bfloat16"]),
        default="auto",
        help="Of the spectral encoder in training; auto: bfloat16 on a GPU, else float32.",
    ),
    click.option("--gradient-checkpointing", "recompute", is_flag=True, help="Less memory for a third more time."),
    click.option("--seed", type=_COUNT_OR_NONE, default=0, help="Seed of all that is drawn."),
)


def training_options(function):
    """Decorator: every option of model, pairs and training."""
    for option in reversed((*_MODEL, *_PAIRS, *_TRAINING)):
        function = option(function)
    return function


def typed_options(values, *, input_format, device):
    """Values of these options by name -> (`ModelOptions`, `PairOptions`, `TrainingOptions`)."""
    from specbridge_tools.bridge.augmentation import Augmentation
    from specbridge_tools.bridge.finetune import ModelOptions, PairOptions
    from specbridge_tools.bridge.training import TrainingOptions

    values = dict(values)
    published = values.pop("preset") == "specbridge"
    if published:
        values |= preset_values(values, click.get_current_context())
    model_names = ("start_from", "spectral_encoder", "projector", "projector_hidden", "projector_depth", "lora_rank")
    model_names += ("molecule_head_depth",)
    model = ModelOptions(dropout=values.pop("dropout"), **{name: values.pop(name) for name in model_names})
    pairs = PairOptions(values.pop("tolerance_ppm"), values.pop("max_decoys"), input_format)
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


def preset_values(values, context):
    """What the preset `specbridge` says of the options that were not given; DreaMS peaks are averaged."""
    given = {name for name in _SPECBRIDGE if context.get_parameter_source(name) != ParameterSource.DEFAULT}
    chosen = {name: values[name] if name in given else value for name, value in _SPECBRIDGE.items()}
    encoder = chosen["spectral_encoder"]
    if encoder.startswith("dreams:") and "pooling=" not in encoder:
        chosen["spectral_encoder"] = f"{encoder},pooling=mean"
    return chosen


def parse_losses(texts):
    """`("candidate=1", "mse=0.5")` -> {"candidate": 1.0, "mse": 0.5}."""
    losses = {}
    for text in texts:
        name, _, weight = text.partition("=")
        if name not in LOSS_NAMES:
            raise click.BadParameter(f"unknown loss {name!r}; known: {', '.join(LOSS_NAMES)}", param_hint="--loss")
        try:
            losses[name] = float(weight or 1)
        except ValueError as error:
            raise click.BadParameter(f"{text!r}: the weight is not a number", param_hint="--loss") from error
    return losses
