"""Encoders by name. Nothing is imported before it is asked for, so that `--help` stays quick."""

import importlib
import inspect

from specbridge_tools.errors import UsageError


class Registry:
    """Names -> classes, given as `module:Class`. A name taken twice is an error."""

    def __init__(self, noun):
        self.noun = noun
        self._entries = {}

    def register(self, name, target):
        """Add `name` for the class at `target` (`package.module:Class`)."""
        if name in self._entries:
            raise ValueError(f"{self.noun} {name} is registered twice")
        self._entries[name] = target

    def names(self):
        return sorted(self._entries)

    def create(self, spec, **settings):
        """Make the encoder that `NAME` or `NAME:ARGUMENT` names: `Class.from_argument(argument)`, '' when absent.

        `settings` say how to run it, not what it computes (device, allow_download); they are for the classes whose
        `from_argument` takes them.
        """
        name, _, argument = spec.partition(":")
        make = self.find(name).from_argument
        taken = inspect.signature(make).parameters
        return make(argument, **{key: value for key, value in settings.items() if key in taken})

    def find(self, name):
        """The class registered as `name`, imported now."""
        if name not in self._entries:
            raise UsageError(f"no {self.noun} {name!r}", advice=f"known: {', '.join(self.names())}")
        module, _, attribute = self._entries[name].partition(":")
        return getattr(importlib.import_module(module), attribute)


MOLECULE_ENCODERS = Registry("molecule encoder")
MOLECULE_ENCODERS.register("default", "specbridge_tools.encoders.molecular.morgan:ShippedEncoder")
MOLECULE_ENCODERS.register("toy", "specbridge_tools.encoders.molecular.toy:ToyMoleculeEncoder")
MOLECULE_ENCODERS.register("morgan", "specbridge_tools.encoders.molecular.morgan:MorganEncoder")
MOLECULE_ENCODERS.register("chemberta", "specbridge_tools.encoders.molecular.chemberta.encoder:ChembertaEncoder")

SPECTRUM_ENCODERS = Registry("spectral encoder")
SPECTRUM_ENCODERS.register("toy", "specbridge_tools.encoders.spectral.toy:ToySpectrumEncoder")
SPECTRUM_ENCODERS.register("massbins", "specbridge_tools.encoders.spectral.mass_bins:MassBinsEncoder")
SPECTRUM_ENCODERS.register("dreams", "specbridge_tools.encoders.spectral.dreams.encoder:DreamsEncoder")


def parse_options(argument, known):
    """`a=1,b=x` -> dict with the types of `known`, whose values are the defaults.

    Raises `UsageError` for a key that is not known or a value of the wrong type.
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


def _typed(value, default):
    if isinstance(default, bool):
        if value.lower() not in ("true", "false"):
            raise ValueError("expected true or false")
        return value.lower() == "true"
    return type(default)(value)
