"""Hits, with or without their spectra -> a file for another program."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol, TextIO
from urllib.parse import quote

from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.export.annotated_mgf import AnnotatedMgfWriter
from specbridge_tools.export.graphml import graphml_writer
from specbridge_tools.export.mztab import mztab_writer
from specbridge_tools.export.result import Result, result_of
from specbridge_tools.export.tables import (
    EDGE_COLUMNS,
    MAF_COLUMNS,
    SIRIUS_COLUMNS,
    TableWriter,
    edge_rows,
    maf_rows,
    sirius_rows,
)
from specbridge_tools.hits.hits import Hits
from specbridge_tools.hits.table import read_hits
from specbridge_tools.hits.with_spectra import with_groups, with_spectra
from specbridge_tools.progress import SilentProgress
from specbridge_tools.records import Rejection, Tally
from specbridge_tools.search.queries.source import open_query_source
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.streams import STDIO, Source, display_name

FORMATS = ("mztab-m", "sirius", "maf", "mgf", "graphml", "tsv-edges")
"""What `export_hits` writes."""
MGF = "mgf"
_TABLES = {
    "sirius": (SIRIUS_COLUMNS, sirius_rows),
    "maf": (MAF_COLUMNS, maf_rows),
    "tsv-edges": (EDGE_COLUMNS, edge_rows),
}


class Writer(Protocol):
    """Writes queries to the file that it was made for."""

    def write(self, result: Result) -> str:
        """Write one query; returns '', or why the format has no place for it."""
        ...


def export_hits(
    hits: Source,
    stream: TextIO,
    *,
    output_format: str,
    spectra: Source | None = None,
    top: int = 1,
    group_by: str | None = None,
    reading: Reading = DEFAULT_READING,
    tally: Tally,
    display: SilentProgress | None = None,
) -> None:
    """Write the hits in another program's format, query by query; memory does not grow with their number.

    Args:
        hits: A table of hits.
        stream: An open text file.
        output_format: One of `FORMATS`.
        spectra: What was searched, in the order of the hits; MGF needs it.
        top: Candidates of each query, 0 for all.
        group_by: Field of the spectra's metadata that names groups of spectra, where these are the queries.
        reading: How the spectra are read.
        tally: Of the queries; those that the format has no place for are rejected.
        display: Shows the progress.

    Raises:
        UsageError: Where MGF is asked for without spectra, or with more than one candidate a spectrum.
        DataError: The hits or spectra are not what they should be.
    """
    if output_format == MGF and spectra is None:
        raise UsageError("MGF needs the spectra", advice="give --spectra")
    if output_format == MGF and top != 1:
        raise UsageError("a spectrum in MGF has one annotation", advice="leave --top away")
    display = display or SilentProgress()
    name = display_name(hits)
    with (
        contextlib.closing(read_hits(hits)) as queries,
        _with_spectra(queries, spectra, group_by, reading) as complete,
        _writer(output_format, stream, hits=hits, spectra=spectra) as writer,
    ):
        for query in complete:
            reason = writer.write(_result(query, top, name))
            if tally.count(_record(query, reason, name)):
                tally.n_written += 1
            display.advance()


def _result(hits: Hits, top: int, source: str) -> Result:
    try:
        return result_of(hits, top=top)
    except DataError as error:
        raise DataError(error.message, where=source, advice=error.advice) from error


def _record(hits: Hits, reason: str, source: str) -> Hits | Rejection:
    if not reason:
        return hits
    return Rejection(reason, hits.query_id, hits.record, source=source, detail=hits.reason)


@contextlib.contextmanager
def _with_spectra(
    hits: Iterable[Hits], spectra: Source | None, group_by: str | None, reading: Reading
) -> Iterator[Iterable[Hits]]:
    """Yield the hits, with their spectra where there are some."""
    if spectra is None:
        yield hits
        return
    with open_query_source(spectra, reading=reading, reread=group_by is not None) as source:
        if group_by is None:
            yield with_spectra(hits, source, unanswered=True)
        else:
            yield with_groups(hits, source, group_by, unanswered=True)


@contextlib.contextmanager
def _writer(output_format: str, stream: TextIO, *, hits: Source, spectra: Source | None) -> Iterator[Writer]:
    """Yield the writer of a format."""
    if output_format == "mztab-m":
        identifier = "hits" if _is_stream(hits) else Path(display_name(hits)).name
        with mztab_writer(stream, identifier=identifier, location=_location(spectra)) as writer:
            yield writer
    elif output_format == "graphml":
        with graphml_writer(stream) as network:
            yield network
    elif output_format == MGF:
        yield AnnotatedMgfWriter(stream)
    else:
        yield TableWriter(stream, *_TABLES[output_format])


def _location(spectra: Source | None) -> str | None:
    """URI of a file as it was named; None where it has no name."""
    if spectra is None or _is_stream(spectra):
        return None
    path = Path(display_name(spectra))
    return path.as_uri() if path.is_absolute() else f"file:{quote(path.as_posix())}"


def _is_stream(source: Source) -> bool:
    return not isinstance(source, str | os.PathLike) or str(source) == STDIO
