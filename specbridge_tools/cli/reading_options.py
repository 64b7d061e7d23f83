"""The options that say how a file of spectra is read, for every command that reads one."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import click

from specbridge_tools.cli.options import Function
from specbridge_tools.errors import DataError
from specbridge_tools.molecules.adducts import parse_adduct
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading

_SIGNS = {"positive": 1, "negative": -1}
_SHIFTS = {"": 0, "K": 10, "M": 20, "G": 30}
SPECTRUM_FORMATS = ("auto", "mgf", "msp", "mzml", "mzxml", "mzmlb", "massbank", "sirius", "json", "mzspeclib")


class _Size(click.ParamType):
    """A number of bytes, such as 64MB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([1-9]\d{0,8})\s*(?:([kMG])?i?B?)", value.strip(), re.IGNORECASE)
        if match is None:
            self.fail(f"{value!r} is no size; write 64MB or 1GB", param, ctx)
        return int(match[1]) << _SHIFTS[(match[2] or "").upper()]


class _Polarity(click.Choice):
    """`positive` or `negative` -> +1 or -1."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        return value if isinstance(value, int) else _SIGNS[super().convert(value, param, ctx)]


class _Adducts(click.ParamType):
    """Names of adducts between commas -> their canonical names."""

    name = "adducts"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(parse_adduct(text.strip()).name for text in value.split(","))
        except DataError as error:
            self.fail(str(error), param, ctx)


# by the names of the fields of `Reading`
_OPTIONS = {
    "input_format": click.option(
        "--input-format",
        type=click.Choice(SPECTRUM_FORMATS),
        default=DEFAULT_READING.input_format,
        help="Format of the spectra; auto looks at the content, never at the name.",
    ),
    "repair": click.option(
        "--repair",
        is_flag=True,
        help="Where two of charge, polarity and adduct agree, let them overrule the third.  [default: reject]",
    ),
    "widest_window": click.option(
        "--isolation-width",
        "widest_window",
        type=click.FloatRange(min=0, min_open=True),
        default=DEFAULT_READING.widest_window,
        metavar="MZ",
        help="Widest isolation window that still tells a precursor; wider ones, of DIA, are rejected.",
    ),
    "msn": click.option(
        "--msn", is_flag=True, help="Take MS3 and deeper as spectra of their MS2 precursor.  [default: skip]"
    ),
    "polarity": click.option(
        "--polarity",
        type=_Polarity(tuple(_SIGNS)),
        default=None,
        help="Polarity of all spectra that do not say; those that say the other one are rejected.",
    ),
    "adducts": click.option(
        "--adducts",
        type=_Adducts(),
        default=None,
        metavar="LIST",
        help="Adducts, such as [M+H]+,[2M+Na]+, to try for spectra that do not say; those that say another are "
        "rejected.  [default: the usual ones]",
    ),
    "max_peaks": click.option(
        "--max-peaks",
        type=click.IntRange(min=1),
        default=DEFAULT_READING.max_peaks,
        metavar="N",
        help="Reject spectra of more peaks.",
    ),
    "max_fields": click.option(
        "--max-fields",
        type=click.IntRange(min=1),
        default=DEFAULT_READING.max_fields,
        metavar="N",
        help="Reject spectra of more lines of fields.",
    ),
    "max_record_size": click.option(
        "--max-record-size",
        type=_Size(),
        default=f"{DEFAULT_READING.max_record_size >> 20}MB",
        metavar="SIZE",
        help="Reject spectra of more text; in XML four times as much may stand.",
    ),
}

RULES = frozenset(_OPTIONS) - {"input_format"}
"""The names of those that say by which rules."""


def reading_options(function: Function) -> Callable[..., object]:
    """Decorator: every option of how spectra are read; the command gets them as one `Reading`, named `reading`."""

    @functools.wraps(function)
    def with_reading(**values: Any) -> object:
        given = {name: values.pop(name) for name in _OPTIONS}
        reading = Reading(**{name: value for name, value in given.items() if value is not None})
        return function(reading=reading, **values)

    decorated: Callable[..., object] = with_reading
    for option in reversed(_OPTIONS.values()):
        decorated = option(decorated)
    return decorated
