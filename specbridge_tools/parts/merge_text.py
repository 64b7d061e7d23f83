"""Merging text files: hits, spectra, molecules."""

from __future__ import annotations

import itertools
from pathlib import Path

from specbridge_tools.errors import DataError, MismatchError
from specbridge_tools.hits.table import HitWriter, QueryRows, read_columns, read_query_rows
from specbridge_tools.parts.marks import NamedPaths, read_part
from specbridge_tools.parts.molecules import MoleculeRecords
from specbridge_tools.parts.spectra import SpectrumRecords
from specbridge_tools.provenance import is_part
from specbridge_tools.records import Tally
from specbridge_tools.streams import output_text


def merge_hits(parts: NamedPaths, destination: str, tally: Tally, *, force: bool) -> None:
    """Write one table of several with the same columns.

    Records of shards of one file keep their numbers. Those of other parts are numbered on from part to part, so that
    queries of the same id stay apart.
    """
    tally.noun = "queries"
    is_one_file = read_part(parts[0][0]) is not None
    columns, output_format = _hit_columns(parts[0][0])
    for path, name in parts[1:]:
        if _hit_columns(path) != (columns, output_format):
            raise MismatchError(f"{name} has other columns than {parts[0][1]}", advice="merge hits of the same options")
    with output_text(destination, force=force) as stream:
        writer = HitWriter(stream, output_format=output_format, columns=columns)
        before = 0
        for path, name in parts:
            last = 0
            for query in tally.usable(read_query_rows(path)):
                # the last column of one file says which part it was
                rows = [row[: len(columns)] for row in query.rows]
                record = _record(query, name)
                try:
                    writer.write_rows(_renumbered(rows, columns, record + before) if before and record else rows)
                except DataError as error:
                    error.where, error.line = name, query.line
                    raise
                last = max(last, record)
                tally.n_written += 1
            before += 0 if is_one_file else last


def _hit_columns(path: Path) -> tuple[tuple[str, ...], str]:
    """(columns, format) of a table of hits, also where it has no rows."""
    columns, output_format = read_columns(path)
    return tuple(column for column in columns if not is_part(column)), output_format


def _record(query: QueryRows, name: str) -> int:
    """Number of a query in its file, 0 where the table does not say."""
    text = query.rows[0][query.columns.index("record")] if "record" in query.columns else ""
    try:
        return int(text or 0)
    except ValueError as error:
        raise DataError(f"column record: {error}", where=name, line=query.line) from error


def _renumbered(rows: list[tuple[str, ...]], columns: tuple[str, ...], record: int) -> list[tuple[str, ...]]:
    at = columns.index("record")
    return [(*row[:at], str(record), *row[at + 1 :]) for row in rows]


def merge_spectra(parts: NamedPaths, destination: str, tally: Tally, *, force: bool) -> None:
    """Write one MGF of spectra in any format; what cannot be read is counted as rejected."""
    tally.noun = "spectra"
    with output_text(destination, force=force) as stream:
        for path, name in parts:
            for record in tally.usable(SpectrumRecords(path, name=name).read()):
                record.write(stream)
                tally.n_written += 1


def merge_molecules(parts: NamedPaths, destination: str, tally: Tally, *, force: bool) -> None:
    """Write one file of several in the same format, with the same header."""
    tally.noun = "molecules"
    files = [MoleculeRecords(path, name=name) for path, name in parts]
    for file, (_, name) in itertools.islice(zip(files, parts, strict=True), 1, None):
        if file.header != files[0].header:
            raise MismatchError(f"{name} has another header than {parts[0][1]}", advice="make the columns alike")
    with output_text(destination, force=force) as stream:
        files[0].start(stream)
        for file in files:
            for record in tally.usable(file.read()):
                record.write(stream)
                tally.n_written += 1
