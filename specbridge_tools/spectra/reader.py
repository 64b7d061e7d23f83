"""Spectra from a file of any format that we know, recognised by its content."""

from collections.abc import Iterator

from specbridge_tools.records import Rejection
from specbridge_tools.spectra.spectrum import Spectrum


def read_spectra(source, *, input_format="auto", skipped=None) -> Iterator[Spectrum | Rejection]:
    """Yield each record of `source` (path, `-` or open binary file) as a `Spectrum` or a `Rejection`, lazily."""
    raise NotImplementedError
