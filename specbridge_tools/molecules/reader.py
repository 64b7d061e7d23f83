"""Molecules from a file of any format that we know, recognised by its content."""

from __future__ import annotations

import collections
import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from specbridge_tools.errors import UsageError
from specbridge_tools.molecules.lines import numbered_lines
from specbridge_tools.molecules.metals import COMPLEX, lost_metals
from specbridge_tools.molecules.molecule import Molecule, StandardForm
from specbridge_tools.molecules.pool import first_of_others, standard_forms
from specbridge_tools.molecules.raw import MAX_TEXT, LibraryReader, RawMolecule, structure_kind
from specbridge_tools.molecules.sdf import read_sdf
from specbridge_tools.molecules.smi import read_smi
from specbridge_tools.molecules.sniff import FORMATS, HEAD, shows_structures, sniff
from specbridge_tools.molecules.some_molecule import with_some_molecule
from specbridge_tools.molecules.tables import read_table
from specbridge_tools.records import Rejection
from specbridge_tools.shards import Counter, RecordRange
from specbridge_tools.streams import Source, display_name, is_regular_file, open_input
from specbridge_tools.threads import available_threads

_DETAIL = 100


def read_molecules(
    source: Source, *, input_format: str = "auto", smiles_column: str | None = None, threads: int | None = None
) -> Iterator[Molecule | Rejection]:
    """Yield each record of `source`, lazily and in order. A file without any record yields nothing, and a warning.

    Args:
        source: The file, gzip or not.
        input_format: tsv, csv, smi, sdf, or auto, which looks at the content.
        smiles_column: Column of a table that holds the structures, SMILES or InChI; else found by its name.
        threads: Processes that standardise structures; None for as many as the scheduler allows.

    Raises:
        FormatError: The file is of no known format, or none of its first hundred records is a molecule.
        DataError: It cannot be read to its end, or has no column of structures.
    """
    for record, _ in read_counted(
        source, fingerprint=None, input_format=input_format, smiles_column=smiles_column, threads=threads
    ):
        yield record


def read_counted(
    source: Source,
    *,
    fingerprint: tuple[int, int] | None,
    input_format: str = "auto",
    smiles_column: str | None = None,
    threads: int | None = None,
    record_range: RecordRange | None = None,
    may_lack_molecules: bool = False,
    library: LibraryReader | None = None,
    counts: Sequence[str] = (),
) -> Iterator[tuple[Molecule | Rejection, dict[int, int] | None]]:
    """`read_molecules`, each with the Morgan counts {bit: count} for `fingerprint` (radius, bits), or with None.

    One pass does both, since the parsed structure is at hand. `record_range` says which records are wanted, and
    `may_lack_molecules` that a file without any molecule is no error; `library` reads files of other things. `counts`
    are columns of a table to carry along (`molecules.counts`).
    """
    noted = None if library is None else _NotedReader(library)
    read = functools.partial(
        _read, source, input_format=input_format, smiles_column=smiles_column, library=noted, counts=tuple(counts)
    )
    records = read(fingerprint=fingerprint, threads=threads or available_threads(), record_range=record_range)
    name = display_name(source)
    if may_lack_molecules:
        return records
    if record_range is None:
        # the reader of a library says itself why it holds no record
        return with_some_molecule(records, name, is_said=lambda: noted is not None and noted.has_read)
    if is_regular_file(source):
        # the first hundred of the file tell, whichever part of it is wanted
        collections.deque(itertools.islice(with_some_molecule(read(threads=1), name), 1), maxlen=0)
    return records


class _NotedReader:
    """A `LibraryReader`; `has_read` once it has read a file."""

    def __init__(self, library: LibraryReader) -> None:
        self._library = library
        self.has_read = False

    def __call__(
        self, head: bytes, stream: BinaryIO, name: str, input_format: str, record_range: RecordRange | None
    ) -> Iterator[RawMolecule | Rejection] | None:
        records = self._library(head, stream, name, input_format, record_range)
        self.has_read = records is not None
        return records


def _read(
    source: Source,
    *,
    input_format: str,
    smiles_column: str | None,
    threads: int,
    fingerprint: tuple[int, int] | None = None,
    record_range: RecordRange | None = None,
    library: LibraryReader | None = None,
    counts: tuple[str, ...] = (),
) -> Iterator[tuple[Molecule | Rejection, dict[int, int] | None]]:
    raw = read_raw(
        source, input_format=input_format, smiles_column=smiles_column, record_range=record_range, library=library,
        counts=counts,
    )  # fmt: skip
    # structures are read ahead of their forms: their records wait here
    waiting: collections.deque[RawMolecule | Rejection] = collections.deque()
    structures = _structures(raw, waiting)
    name = display_name(source)
    for result in standard_forms(structures, threads=threads, fingerprint=fingerprint):
        record = waiting.popleft()
        if isinstance(record, Rejection):
            yield record, None
            continue
        if isinstance(result, str):
            text, result = first_of_others(result, record.others, fingerprint)
            if not isinstance(result, str):
                record = record._replace(text=text, kind=structure_kind(text))
        yield _finished(record, result, name)


def count_molecules(
    source: Source,
    *,
    input_format: str = "auto",
    smiles_column: str | None = None,
    library: LibraryReader | None = None,
) -> int:
    """How many records a file has, as a `RecordRange` counts them; structures are not looked at."""
    counter = Counter()
    records = read_raw(
        source, input_format=input_format, smiles_column=smiles_column, record_range=counter, library=library
    )
    collections.deque(records, maxlen=0)
    return counter.n


def read_raw(
    source: Source,
    *,
    input_format: str = "auto",
    smiles_column: str | None = None,
    record_range: RecordRange | None = None,
    library: LibraryReader | None = None,
    counts: tuple[str, ...] = (),
) -> Iterator[RawMolecule | Rejection]:
    """Yield each record, structures not looked at; otherwise as `read_molecules`."""
    if input_format not in FORMATS and library is None:
        raise UsageError(f"no format {input_format!r}", advice=f"one of {', '.join(FORMATS)}")
    name = display_name(source)
    with open_input(source) as stream:
        head = stream.read(HEAD)
        if library is not None and not shows_structures(head, smiles_column):
            records = library(head, stream, name, input_format, record_range)
            if records is not None:
                _refuse_counts(counts, name)
                yield from records
                return
        file_format = sniff(head, name, smiles_column=smiles_column) if input_format == "auto" else input_format
        if file_format is None:
            return
        if file_format in ("sdf", "smi"):
            _refuse_counts(counts, name)
        lines = numbered_lines(head, stream, name)
        if file_format == "sdf":
            yield from read_sdf(lines, name, record_range)
        elif file_format == "smi":
            yield from read_smi(lines, name, record_range)
        else:
            yield from read_table(
                lines, name, input_format=file_format, smiles_column=smiles_column, counts=counts,
                record_range=record_range,
            )  # fmt: skip


def _refuse_counts(counts: Sequence[str], name: str) -> None:
    if counts:
        raise UsageError("only a table has columns of counts", where=name, advice="give the molecules as TSV or CSV")


def _structures(
    raw: Iterator[RawMolecule | Rejection], waiting: collections.deque[RawMolecule | Rejection]
) -> Iterator[tuple[str, str]]:
    for record in raw:
        if isinstance(record, RawMolecule) and record.kind != "mol":
            # enough to be too large: many records wait, and what they hold
            text, others = record.text[: MAX_TEXT + 1], tuple(other[: MAX_TEXT + 1] for other in record.others)
            record = record._replace(text=text, others=others)
        waiting.append(record)
        # rejected records take the same way, which keeps the order and bounds how many of them wait
        yield ("", "smiles") if isinstance(record, Rejection) else (record.text, record.kind)


def _finished(
    record: RawMolecule, result: StandardForm | str, source: str
) -> tuple[Molecule | Rejection, dict[int, int] | None]:
    if isinstance(result, str):
        detail = "" if record.kind == "mol" else record.text[:_DETAIL]
        return Rejection(result, record.id, record.record, record.line, source, detail), None
    smiles, inchikey14, formula, exact_mass, isomeric_smiles, counts = result
    notes = (COMPLEX,) if lost_metals(record.text, record.kind, formula) else ()
    molecule = Molecule(
        record.id, smiles, inchikey14, formula, exact_mass, record.name, isomeric_smiles, record.record, record.line,
        notes, record.counts,
    )  # fmt: skip
    return molecule, counts
