"""How fragment networks are made, as data: the stages of a training, of which the last one's network is used."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from specbridge_tools.fragmentation.network.weight_shapes import Weights
from specbridge_tools.fragmentation.training.train import TrainingOptions

GIVEN = "given"
"""What a stage starts from that goes on from a network that is there already."""
DEFAULT_EPOCHS = 14


class Widths(NamedTuple):
    """Of a network's layers: the atoms' vectors, the first hidden layer of a fragment, and the second."""

    atom: int
    hidden: int
    last: int

    @classmethod
    def of(cls, weights: Weights) -> Widths:
        """Those of a network."""
        return cls(*(weights[f"{name}.bias"].size for name in ("atom1", "piece1", "hidden")))


WIDTHS = Widths(64, 96, 48)


@dataclasses.dataclass(frozen=True)
class Stage:
    """The training of one network.

    Attributes:
        name: Of the stage, and of its files.
        training: How it is trained, and for how many epochs.
        widths: Of its layers.
        dropout: Share of the values that the training leaves out.
        spectra_each: Spectra of each molecule, at most.
        start_from: Name of an earlier stage of the same widths, from whose network it starts; GIVEN for one that is
            there already; None for random weights.
        teachers: Names of earlier stages, the mean of whose scores is learned as well.
    """

    name: str
    training: TrainingOptions
    widths: Widths = WIDTHS
    dropout: float = 0.0
    spectra_each: int = 8
    start_from: str | None = None
    teachers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1 or min(*self.widths, self.spectra_each) < 1:
            raise ValueError(f"counts are above 0 and dropout is in [0, 1), but this is {self}")


def check_recipe(recipe: Sequence[Stage]) -> None:
    """Raise `ValueError` unless stages have names of their own and rest on earlier ones alone."""
    known: dict[str, Stage] = {}
    for stage in recipe:
        first = known.get(stage.start_from or "")
        if stage.name in (*known, GIVEN, "") or "/" in stage.name:
            raise ValueError(f"a stage cannot be named {stage.name!r}")
        if any(name not in known for name in stage.teachers) or (stage.start_from not in (None, GIVEN) and not first):
            raise ValueError(f"{stage.name} rests on stages that do not come before it")
        if first is not None and first.widths != stage.widths:
            raise ValueError(f"{stage.name} and {first.name}, from which it starts, have other widths")
        known[stage.name] = stage
    if not recipe:
        raise ValueError("a recipe without a stage")


def default_recipe(epochs: int = DEFAULT_EPOCHS, *, seed: int = 0) -> tuple[Stage, ...]:
    """Three networks, the last one under dropout, and one that learns the mean of their scores as well.

    Args:
        epochs: Of the first; the others take half as many, at least 1. Fewer do for little data.
        seed: Of the first; the others draw with those that follow it.
    """
    half = max(1, round(epochs / 2))
    first = TrainingOptions(epochs=epochs, molecules=8, decoys=16, learning_rate=3e-3, weight_decay=1e-3, seed=seed)
    shorter = dataclasses.replace(first, epochs=half)
    third = dataclasses.replace(
        shorter, learning_rate=2e-3, weight_decay=1e-2, drop_peaks=0.1, move_intensity=0.2, seed=seed + 3
    )
    taught = dataclasses.replace(shorter, learning_rate=1.5e-3, move_intensity=0.1, seed=seed + 2)
    return (
        Stage("first", first),
        Stage("second", dataclasses.replace(shorter, seed=seed + 1), Widths(48, 64, 32)),
        Stage("third", third, dropout=0.1, start_from="first"),
        Stage("taught", taught, start_from="first", teachers=("first", "second", "third")),
    )


def further(weights: Weights, epochs: int = DEFAULT_EPOCHS // 2, *, seed: int = 0) -> tuple[Stage, ...]:
    """Go on from a network that a model has: one stage of its widths, trained as the last one of the default."""
    taught = default_recipe(seed=seed)[-1]
    training = dataclasses.replace(taught.training, epochs=epochs)
    stage = dataclasses.replace(
        taught, name="further", training=training, widths=Widths.of(weights), start_from=GIVEN, teachers=()
    )
    return (stage,)
