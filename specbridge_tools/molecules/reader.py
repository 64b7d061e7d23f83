"""Molecules from a file of any format that we know, recognised by its content."""

import collections
import itertools
from collections.abc import Iterator

from specbridge_tools.errors import UsageError
from specbridge_tools.molecules.lines import numbered_lines
from specbridge_tools.molecules.molecule import Molecule
from specbridge_tools.molecules.pool import standard_forms
from specbridge_tools.molecules.sdf import read_sdf
from specbridge_tools.molecules.smi import read_smi
from specbridge_tools.molecules.sniff import FORMATS, delimiter_of, sniff
from specbridge_tools.molecules.tables import read_table
from specbridge_tools.records import Rejection
from specbridge_tools.shards import Counter
from specbridge_tools.streams import display_name, open_input
from specbridge_tools.threads import available_threads

HEAD = 1 << 16
_DETAIL = 100


def read_molecules(source, *, input_format="auto", smiles_column=None, threads=None) -> Iterator[Molecule | Rejection]:
    """Yield each record of `source` (path, `-` or open binary file) as a `Molecule` or a `Rejection`, lazily, in order.

    input_format   tsv, csv, smi, sdf, or auto: by the content, gzip seen through
    smiles_column  column of a table that holds the structures, SMILES or InChI; else found by its name
    threads        processes that standardise structures; None for as many as the scheduler allows

    Raises `FormatError` for a file of no known format and `DataError` where it cannot be read to its end or has no
    column of structures. A file without any record yields nothing.
    """
    for item, _ in read_counted(
        source, fingerprint=None, input_format=input_format, smiles_column=smiles_column, threads=threads
    ):
        yield item


def read_counted(source, *, fingerprint, input_format="auto", smiles_column=None, threads=None, record_range=None):
    """`read_molecules`, each with the Morgan counts {bit: count} for `fingerprint` (radius, bits), or with None.

    One pass does both, since the parsed structure is at hand. `record_range` (`shards.RecordRange`) says which are wanted.
    """
    raw = read_raw(source, input_format=input_format, smiles_column=smiles_column, record_range=record_range)
    # `answers` runs ahead of what it has answered: records wait here for theirs
    waiting = collections.deque()
    structures = _structures(raw, waiting)
    name = display_name(source)
    for result in standard_forms(structures, threads=threads or available_threads(), fingerprint=fingerprint):
        record = waiting.popleft()
        yield (record, None) if isinstance(record, Rejection) else _finished(record, result, name)


def count_molecules(source, *, input_format="auto", smiles_column=None):
    """How many records a file has, as a `RecordRange` counts them; structures are not looked at."""
    counter = Counter()
    records = read_raw(source, input_format=input_format, smiles_column=smiles_column, record_range=counter)
    collections.deque(records, maxlen=0)
    return counter.n


def read_raw(source, *, input_format="auto", smiles_column=None, record_range=None):
    """Yield `RawMolecule | Rejection` for each record, structures not looked at."""
    if input_format not in FORMATS:
        raise UsageError(f"no format {input_format!r}", advice=f"one of {', '.join(FORMATS)}")
    name = display_name(source)
    with open_input(source) as stream:
        head = stream.read(HEAD)
        if input_format == "auto":
            input_format = sniff(head, name, smiles_column=smiles_column)
        if input_format is None:
            return
        lines = numbered_lines(head, stream, name)
        if input_format == "sdf":
            yield from read_sdf(lines, name, record_range)
        elif input_format == "smi":
            yield from read_smi(lines, name, record_range)
        else:
            lines = itertools.dropwhile(lambda numbered: not numbered[1].strip(), lines)
            header = next(lines, (0, ""))
            delimiter = delimiter_of(input_format, header[1])
            lines = itertools.chain([header], lines)
            yield from read_table(
                lines, name, delimiter=delimiter, smiles_column=smiles_column, record_range=record_range
            )


def _structures(raw, waiting):
    for record in raw:
        waiting.append(record)
        # rejected records go the same way, so that the order is kept and no long run of them has to wait
        yield ("", "smiles") if isinstance(record, Rejection) else (record.text, record.kind)


def _finished(record, result, source):
    """What an answer makes of a record: (`Molecule`, its counts or None), or (`Rejection`, None)."""
    if isinstance(result, str):
        detail = "" if record.kind == "mol" else record.text[:_DETAIL]
        return Rejection(result, record.id, record.record, record.line, source, detail), None
    smiles, inchikey14, formula, exact_mass, isomeric_smiles, *counts = result
    molecule = Molecule(
        record.id, smiles, inchikey14, formula, exact_mass, record.name, isomeric_smiles, record.record, record.line
    )
    return molecule, dict(zip(*counts, strict=True)) if counts else None
