"""The texts of a reference: many as one block of bytes, repeated ones as numbers of a short list."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.molecules.raw import one_line
from specbridge_tools.spectra.spectrum import Spectrum

REPEATED = ("adduct", "collision_energy", "instrument", "licence", "contributor")
"""Of a spectrum, as its file had them."""
_LONGEST_TEXT = 1000
_FIELDS = {
    "name": ("name",),
    "adduct": ("adduct",),
    "collision_energy": ("collision_energy",),
    "instrument": ("instrument_type", "instrument", "source_instrument"),
    "licence": ("license",),
    "contributor": ("authors", "author", "contributor", "submituser", "submitter", "data_collector", "source", "pi"),
}
_MASSBANK = "MSBNK-"


class TextBlock(Sequence[str]):
    """Texts end to end in UTF-8, decoded when they are asked for."""

    def __init__(self, data: NDArray[np.uint8], sizes: NDArray[np.unsignedinteger]) -> None:
        """Wrap n texts: `data` (bytes,), and `sizes` (n,) the bytes of each."""
        self.data = data
        self.ends = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, row):  # type: ignore[no-untyped-def]
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        row = int(row) + (len(self) if row < 0 else 0)
        if not 0 <= row < len(self):
            raise IndexError(row)
        return self.data[self.ends[row] : self.ends[row + 1]].tobytes().decode(errors="replace")

    def __iter__(self) -> Iterator[str]:
        data, ends = self.data.tobytes(), self.ends.tolist()
        return (data[low:high].decode(errors="replace") for low, high in itertools.pairwise(ends))


@dataclasses.dataclass(frozen=True, eq=False)
class SpectrumTexts:
    """What the n spectra of a reference are called.

    Attributes:
        accession: (n,) each once.
        codes: {name of `REPEATED`: (n,) int64 places in its list}.
        lists: {name of `REPEATED`: its texts, each once}.
    """

    accession: Sequence[str]
    codes: Mapping[str, NDArray[np.int64]]
    lists: Mapping[str, Sequence[str]]

    def text(self, name: str, row: int) -> str:
        """One of `REPEATED` of a spectrum; '' where its file has none."""
        return self.lists[name][int(self.codes[name][row])]

    def have(self, name: str, value: str) -> NDArray[np.bool_]:
        """(n,) whether one of `REPEATED` of each spectrum is this."""
        places = [place for place, text in enumerate(self.lists[name]) if text == value]
        return np.isin(self.codes[name], places)

    def rows_of(self, accession: str) -> list[int]:
        """The row of a spectrum as a list, empty where there is none."""
        row = self._row_of.get(accession)
        return [] if row is None else [row]

    @functools.cached_property
    def _row_of(self) -> dict[str, int]:
        return {accession: row for row, accession in enumerate(self.accession)}


def text_of(spectrum: Spectrum, name: str) -> str:
    """The name of a spectrum's molecule, or one of `REPEATED`, on one line; '' where its file has none."""
    if name == "adduct":
        return spectrum.adduct or ""
    value = _text(spectrum, _FIELDS[name])
    if not value and name == "contributor" and spectrum.id.startswith(_MASSBANK):
        return f"MassBank {spectrum.id.split('-')[1]}"  # accessions are MSBNK-CONTRIBUTOR-NUMBER
    return value


def _text(spectrum: Spectrum, fields: Sequence[str]) -> str:
    found = (one_line(spectrum.metadata.get(field, "")).strip() for field in fields)
    return next(filter(None, found), "")[:_LONGEST_TEXT]
