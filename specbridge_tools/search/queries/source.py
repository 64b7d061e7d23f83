"""Where queries come from, opened once: a file of spectra, spectrum embeddings, or spectra in memory."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import itertools
import math
import os
from collections.abc import Callable, Hashable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar, cast

from specbridge_tools.embeddings.spectra import holds_embeddings, is_hdf5, path_of
from specbridge_tools.molecules.lines import joined
from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.spectra.sniff import HEAD
from specbridge_tools.spectra.spectrum import USI_PREFIX, Spectrum, usi_of
from specbridge_tools.streams import InputStream, Source, copy_to_own, display_name, open_input, rewindable
from specbridge_tools.temporary import scratch_path

_SMALL = 16 << 10  # bytes: some ten spectra
_MODERATE = 256 << 10  # some hundred
Value = TypeVar("Value", bound=Hashable)


class QuerySource:
    """Spectra, or their embeddings, to be read once or several times.

    Attributes:
        name: As messages show it.
        reading: How a file is read, and what it says of a whole file of embeddings.
        holds_embeddings: Whether these are spectrum embeddings, whose `embeddings_path` is read instead of `records`.
        names_usi: Whether the file's first 64 KB, or the first of spectra in memory, name a Universal Spectrum
            Identifier.
        is_small: Whether these are a file of some ten spectra at most.
        is_moderate: Whether these are a file on disk of some hundred spectra at most, or a small one from elsewhere.
    """

    def __init__(
        self,
        stream: InputStream | None = None,
        records: Iterable[Spectrum | Rejection] = (),
        *,
        name: str = "spectra",
        reading: Reading = DEFAULT_READING,
        names_usi: bool = False,
        is_small: bool = False,
        is_moderate: bool = False,
    ) -> None:
        """Use `open_query_source`."""
        self.name = name
        self.reading = reading
        self._stream = stream
        self._records = records
        self._is_read = False
        self.holds_embeddings = stream is not None and holds_embeddings(stream)
        self.names_usi = names_usi
        self.is_small, self.is_moderate = is_small, is_moderate

    def records(self, *, record_range: RecordRange | None = None) -> Iterator[Spectrum | Rejection]:
        """Yield the records; from the start again where the source was opened to be reread."""
        if self._stream is None:
            records = map(_numbered, self._records, itertools.count(1))
            return records if record_range is None else record_range.filter(records)
        again, self._is_read = self._is_read, True
        if again:
            self._stream.seek(0)
        return iter(read_spectra(self._stream, reading=self.reading, record_range=record_range, again=again))

    def count_values(self, value_of: Callable[[Spectrum], Value]) -> collections.Counter[Value]:
        """How many spectra have each value, '' or None for none; rejected records count for none."""
        usable = (record for record in self.records() if not isinstance(record, Rejection))
        return collections.Counter(filter(None, map(value_of, usable)))

    @contextlib.contextmanager
    def embeddings_path(self) -> Iterator[Path]:
        """Yield the path of the embeddings."""
        assert self._stream is not None
        path = path_of(self._stream)
        assert path is not None
        yield Path(path)


@contextlib.contextmanager
def open_query_source(
    spectra: Source | Iterable[Spectrum | Rejection], *, reading: Reading = DEFAULT_READING, reread: bool = False
) -> Iterator[QuerySource]:
    """Open spectra or spectrum embeddings (path, `-`, binary file), or take spectra from memory.

    Args:
        spectra: What is asked.
        reading: How a file of spectra is read.
        reread: Whether `records` will be called more than once: a pipe is then copied to a temporary file.
    """
    if not isinstance(spectra, (str, os.PathLike)) and not hasattr(spectra, "read"):
        records = iter(spectra)
        first = list(itertools.islice(records, 1))
        names_usi = any(usi_of_record(record) for record in first)
        together = itertools.chain(first, records)
        yield QuerySource(records=list(together) if reread else together, reading=reading, names_usi=names_usi)
        return
    file = cast("Source", spectra)
    with rewindable(file) if reread else open_input(file) as opened, _as_a_file(opened) as stream:
        if is_hdf5(stream):
            yield QuerySource(stream, name=display_name(file), reading=reading)
            return
        path = path_of(stream)
        n_bytes = os.path.getsize(path) if path else math.inf
        head = stream.read(HEAD)
        if reread:
            stream.seek(0)
        else:
            stream = joined(head, stream)
            stream.raw.name = display_name(file)  # type: ignore[attr-defined]  # as of a file
        yield QuerySource(
            stream,
            name=display_name(file),
            reading=reading,
            names_usi=USI_PREFIX.encode() in head.lower(),
            is_small=len(head) < _SMALL,
            is_moderate=len(head) < _SMALL or n_bytes < _MODERATE,
        )


@contextlib.contextmanager
def _as_a_file(stream: InputStream) -> Iterator[InputStream]:
    """Yield a stream, HDF5 from a pipe as a temporary file: HDF5 goes back and forth, already to see what it holds."""
    if not is_hdf5(stream) or path_of(stream):
        yield stream
        return
    with scratch_path() as copy:
        copy_to_own(stream, copy)
        with open(copy, "rb") as file:
            yield file


def usi_of_record(record: Spectrum | Rejection) -> str:
    """The Universal Spectrum Identifier of a record, also of one that cannot be used; '' for none."""
    return record.usi if isinstance(record, Spectrum) else usi_of(record.fields)


def _numbered(record: Spectrum | Rejection, number: int) -> Spectrum | Rejection:
    return record if record.record else dataclasses.replace(record, record=number)
