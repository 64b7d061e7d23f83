"""Encoders by name. Nothing is imported before it is asked for, so that `--help` stays quick."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from specbridge_tools.encoders.base import MoleculeEncoder, SpectrumEncoder
from specbridge_tools.errors import UsageError

Encoder = TypeVar("Encoder", MoleculeEncoder, SpectrumEncoder)


class Registry(Generic[Encoder]):
    """Names -> classes, given as `module:Class`. A name taken twice is an error."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._entries: dict[str, str] = {}

    def register(self, name: str, target: str) -> None:
        """Add `name` for the class at `target` (`package.module:Class`)."""
        if name in self._entries:
            raise ValueError(f"{self.noun} {name} is registered twice")
        self._entries[name] = target

    def names(self) -> list[str]:
        return sorted(self._entries)

    def create(
        self,
        spec: str,
        *,
        device: str = "cpu",
        allow_download: bool = False,
        batch_size: int = 64,
        threads: int | None = None,
    ) -> Encoder:
        """Make an encoder of its name.

        Args:
            spec: `NAME` or `NAME:ARGUMENT`, as `Class.from_argument` reads the argument.
            device: Where it computes. This and what follows says how an encoder runs, not what it computes; it is for
                the classes whose `from_argument` takes it.
            allow_download: Whether weights that are not on this machine may be fetched.
            batch_size: At most so many inputs at once.
            threads: How many threads it may use, None for all that are available.

        Raises:
            UsageError: Where the name or an option is not known.
        """
        name, _, argument = spec.partition(":")
        make = self.find(name).from_argument
        settings = {"device": device, "allow_download": allow_download, "batch_size": batch_size, "threads": threads}
        taken = inspect.signature(make).parameters
        return make(argument, **{key: value for key, value in settings.items() if key in taken})

    def find(self, name: str) -> type[Encoder]:
        """The class registered as `name`, imported now."""
        if name not in self._entries:
            raise UsageError(f"no {self.noun} {name!r}", advice=f"known: {', '.join(self.names())}")
        module, _, attribute = self._entries[name].partition(":")
        found: type[Encoder] = getattr(importlib.import_module(module), attribute)
        return found


MOLECULE_ENCODERS: Registry[MoleculeEncoder] = Registry("molecule encoder")
MOLECULE_ENCODERS.register("default", "specbridge_tools.encoders.molecular.morgan:ShippedEncoder")
MOLECULE_ENCODERS.register("toy", "specbridge_tools.encoders.molecular.toy:ToyMoleculeEncoder")
MOLECULE_ENCODERS.register("morgan", "specbridge_tools.encoders.molecular.morgan:MorganEncoder")
MOLECULE_ENCODERS.register("chemberta", "specbridge_tools.encoders.molecular.chemberta.encoder:ChembertaEncoder")

SPECTRUM_ENCODERS: Registry[SpectrumEncoder] = Registry("spectral encoder")
SPECTRUM_ENCODERS.register("toy", "specbridge_tools.encoders.spectral.toy:ToySpectrumEncoder")
SPECTRUM_ENCODERS.register("massbins", "specbridge_tools.encoders.spectral.mass_bins:MassBinsEncoder")
SPECTRUM_ENCODERS.register("dreams", "specbridge_tools.encoders.spectral.dreams.encoder:DreamsEncoder")


def parse_options(argument: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """`a=1,b=x` -> dict with the types of `known`, whose values are the defaults.

    Raises:
        UsageError: Where a key is not known, or a value is of the wrong type.
    """
    options = dict(known)
    for part in filter(None, argument.split(",")):
        key, equals, value = part.partition("=")
        if key not in known or not equals:
            raise UsageError(f"unknown encoder option {part!r}", advice=f"known: {', '.join(known)} as key=value")
        try:
            options[key] = _typed(value, known[key])
        except ValueError as error:
            raise UsageError(f"encoder option {part!r}: {error}") from error
    return options


def _typed(text: str, default: object) -> object:
    """`text` as a value of the type of `default`."""
    if isinstance(default, bool):
        if text.lower() not in ("true", "false"):
            raise ValueError("expected true or false")
        return text.lower() == "true"
    return int(text) if isinstance(default, int) else float(text) if isinstance(default, float) else text
