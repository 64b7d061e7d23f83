"""The options that say how a file of spectra is read, for every command that reads one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from specbridge_tools.cli.options import Function

SPECTRUM_FORMATS = ("auto", "mgf", "msp", "mzml", "mzxml", "massbank", "sirius", "json")

# by the names of the fields of `Reading`
_OPTIONS = {
    "input_format": click.option(
        "--input-format",
        type=click.Choice(SPECTRUM_FORMATS),
        default="auto",
        help="Format of the spectra; auto looks at the content, never at the name.",
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
