"""TSV and CSV with a header -> `RawMolecule`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from specbridge_tools.molecules.columns import Columns, find_columns
from specbridge_tools.molecules.counts import NO_COUNT, parse_count, positions_of_counts
from specbridge_tools.molecules.missing import is_missing
from specbridge_tools.molecules.raw import (
    MAX_TEXT,
    TOO_LONG,
    TOO_MANY_FIELDS,
    UNBALANCED_QUOTE,
    RawMolecule,
    one_line,
    structure_kind,
)
from specbridge_tools.molecules.rows import MAX_CELL, open_table
from specbridge_tools.records import NO_STRUCTURE, Rejection
from specbridge_tools.shards import RecordRange

_SHOWN = 100


def read_table(
    lines: Iterable[tuple[int, str]],
    name: str,
    *,
    input_format: str = "auto",
    smiles_column: str | None = None,
    counts: Sequence[str] = (),
    record_range: RecordRange | None = None,
) -> Iterator[RawMolecule | Rejection]:
    """Yield each row of a table, as `open_table` reads it.

    Args:
        lines: Numbered.
        name: The file to name.
        input_format: tsv or csv.
        smiles_column: The column of the structures, else found by its name.
        counts: Columns of counts to carry along.
        record_range: Which rows are wanted.

    Raises:
        DataError: No column holds structures, or one of the counts is missing.
    """
    record_range = record_range or RecordRange()
    header, rows = open_table(lines, input_format=input_format, smiles_column=smiles_column)
    columns = find_columns(header, smiles_column=smiles_column, where=name)
    count_at = positions_of_counts(header, counts, name)
    for record, (line, cells) in enumerate(rows, start=1):
        if not record_range.take():
            continue
        if cells is None:
            yield Rejection(UNBALANCED_QUOTE, id=f"record={record}", record=record, line=line, source=name)
        else:
            found = _record(cells, columns, len(header), record, line, name)
            yield _with_counts(found, cells, count_at, name) if count_at else found
        if record_range.is_passed:
            return


def values_of(cells: Sequence[str], positions: Iterable[int]) -> Iterator[str]:
    """The cells of a row at some positions, each on one line, without those that are missing."""
    for position in positions:
        text = one_line(cells[position]) if position < len(cells) else ""
        if not is_missing(text):
            yield text


def _with_counts(
    found: RawMolecule | Rejection, cells: Sequence[str], positions: Sequence[int], source: str
) -> RawMolecule | Rejection:
    if isinstance(found, Rejection):
        return found
    texts = [cells[position] if position < len(cells) else "" for position in positions]
    counts = [parse_count(text) for text in texts]
    for text, count in zip(texts, counts, strict=True):
        if count is None:
            return Rejection(NO_COUNT, found.id, found.record, found.line, source, text[:_SHOWN])
    return found._replace(counts=tuple(count for count in counts if count is not None))


def _record(
    cells: Sequence[str], columns: Columns, width: int, record: int, line: int, source: str
) -> RawMolecule | Rejection:
    identifier = next(values_of(cells, columns.id), f"record={record}")
    if any(len(text) > MAX_CELL for text in cells):
        return Rejection(TOO_LONG, identifier, record, line, source)
    if any(text.strip() for text in cells[width:]):
        return Rejection(TOO_MANY_FIELDS, identifier, record, line, source, f"{len(cells)} instead of {width}")
    name = next(values_of(cells, columns.name), "")
    if max(len(identifier), len(name)) > MAX_TEXT:
        detail = f"an id or a name of more than {MAX_TEXT:,} characters"
        return Rejection(TOO_LONG, identifier[:_SHOWN], record, line, source, detail)
    structure, *others = list(dict.fromkeys(values_of(cells, columns.structures))) or [""]
    if not structure:
        return Rejection(NO_STRUCTURE, identifier, record, line, source)
    return RawMolecule(structure, structure_kind(structure), identifier, name, record, line, tuple(others))
