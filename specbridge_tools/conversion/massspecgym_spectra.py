"""The spectra of MassSpecGym: a TSV with one row each, peaks in two cells of numbers separated by commas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import FormatError
from specbridge_tools.molecules.lines import numbered_lines
from specbridge_tools.records import Rejection
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.build import Place, spectrum_or_rejection
from specbridge_tools.spectra.fields import Unusable, add_field, canonical_key, is_unknown
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.streams import Source, display_name, open_input

WRONG_NUMBER_OF_CELLS = "number of cells differs from the header"
_NEEDED = ("identifier", "mzs", "intensities", "precursor_mz", "fold")


def read_massspecgym(source: Source) -> Iterator[Spectrum | Rejection]:
    """Yield each row, lazily.

    Every column but the peaks becomes metadata: `fold`, `smiles`, `inchikey`, `collision_energy` and the like. The id
    is `identifier`.

    Raises:
        FormatError: A column is missing that must be there.
    """
    name = display_name(source)
    with open_input(source) as stream:
        rows = ((n, line.split("\t")) for n, line in numbered_lines(b"", stream, name) if line.strip())
        header = [cell.strip() for cell in next(rows, (0, []))[1]]
        missing = [column for column in _NEEDED if column not in header]
        if missing:
            message = f"is not the spectra of MassSpecGym: no column {', '.join(missing)}"
            raise FormatError(message, where=name, advice="expected MassSpecGym.tsv as it is published")
        for record, (line, cells) in enumerate(rows, start=1):
            yield _spectrum(header, cells, Place(name, record, line))


def _spectrum(header: Sequence[str], cells: Sequence[str], place: Place) -> Spectrum | Rejection:
    if len(cells) != len(header):
        detail = f"{len(cells)} instead of {len(header)}"
        return Rejection(WRONG_NUMBER_OF_CELLS, cells[0], place.record, place.line, place.source, detail)
    row = dict(zip(header, cells, strict=True))
    fields = {"title": row.pop("identifier")}
    try:
        mz, intensity = _numbers(row.pop("mzs")), _numbers(row.pop("intensities"))
        for key, value in row.items():
            if not is_unknown(value):
                add_field(fields, canonical_key(key), value)
    except Unusable as error:
        return place.rejection(error, fields)
    return spectrum_or_rejection(fields, mz, intensity, place)


def _numbers(cell: str) -> NDArray[np.float64]:
    if "_" in cell:
        raise Unusable(reasons.PEAK_NOT_A_NUMBER, f"{cell[:40]!r} has an underscore")
    texts = cell.strip().strip("[]").split(",")
    try:
        return np.array([float(text) for text in texts] if texts != [""] else [], np.float64)
    except ValueError as error:
        raise Unusable(reasons.PEAK_NOT_A_NUMBER, str(error)) from None
