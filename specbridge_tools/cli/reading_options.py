"""The options that say how a file of spectra is read, for every command that reads one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from specbridge_tools.cli.options import Function

SPECTRUM_FORMATS = ("auto", "mgf", "msp", "mzml", "mzxml", "massbank", "sirius", "json", "mzspeclib")

# by the names of the fields of `Reading`
_OPTIONS = {
    "input_format": click.option(
        "--input-format",
        type=click.Choice(SPECTRUM_FORMATS),
        default="auto",
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
        default=10.0,
        metavar="MZ",
        help="Widest isolation window that still tells a precursor; wider ones, of DIA, are rejected.",
    ),
    "msn": click.option(
        "--msn", is_flag=True, help="Take MS3 and deeper as spectra of their MS2 precursor.  [default: skip]"
    ),
}


def reading_options(function: Function) -> Callable[..., object]:
    """Decorator: every option of how spectra are read; the command gets them as one `Reading`, named `reading`."""

    @functools.wraps(function)
    def with_reading(**values: Any) -> object:
        from specbridge_tools.spectra.reading import Reading

        reading = Reading(**{name: values.pop(name) for name in _OPTIONS})
        return function(reading=reading, **values)

    decorated: Callable[..., object] = with_reading
    for option in reversed(_OPTIONS.values()):
        decorated = option(decorated)
    return decorated
