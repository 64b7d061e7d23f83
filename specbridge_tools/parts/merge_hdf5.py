"""Merging HDF5 files: embeddings, indexes and references."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np

from specbridge_tools.embeddings import molecules, spectra
from specbridge_tools.embeddings.columns import ColumnWriter, Layout, create_columns
from specbridge_tools.embeddings.molecules import MoleculeEmbeddings
from specbridge_tools.embeddings.spectra import SpectrumEmbeddings
from specbridge_tools.errors import MismatchError
from specbridge_tools.parts.marks import NamedPaths, read_part
from specbridge_tools.records import Tally
from specbridge_tools.reference.file import ReferenceFile
from specbridge_tools.reference.joined import joined
from specbridge_tools.reference.writer import write_reference
from specbridge_tools.search.index.build import merge_indexes
from specbridge_tools.search.index.molecule_rows import merged_text, with_columns
from specbridge_tools.search.index.reader import open_index
from specbridge_tools.streams import output_path

logger = logging.getLogger(__name__)
Embeddings = TypeVar("Embeddings", MoleculeEmbeddings, SpectrumEmbeddings)

BLOCK = 4096
# a model is known by its content: its name may be a path
_FREE_ATTRIBUTES = ("model",)


def merge_molecule_embeddings(parts: NamedPaths, destination: str, tally: Tally, *, force: bool) -> None:
    """Write one file of several of the same encoder.

    A structure that several hold is kept once, as the first has it, with the ids of all.
    """
    tally.noun = "molecules"
    row_of: dict[tuple[str, str], int] = {}
    repeated: dict[int, list[str]] = {}
    with _merging(MoleculeEmbeddings, molecules.LAYOUT, parts, destination, force) as (files, writer):
        count_columns = _count_columns(files)
        raised: dict[str, dict[int, list[str]]] = {name: {} for name in count_columns}
        for columns in itertools.chain.from_iterable(file.read_blocks(BLOCK) for file in files):
            tally.n_read += len(columns["id"])
            first_rows: list[int] = []
            columns = with_columns(columns, count_columns, len(columns["id"]))
            keys = zip(columns["inchikey14"].tolist(), columns["formula"], columns["all_ids"], strict=True)
            for i, (inchikey14, formula, ids) in enumerate(keys):
                row = row_of.setdefault((inchikey14, formula), len(row_of))
                if row == writer.n + len(first_rows):
                    first_rows.append(i)
                else:
                    repeated.setdefault(row, []).append(ids)
                    for name in count_columns:
                        raised[name].setdefault(row, []).append(columns[name][i])
            writer.append({name: values[first_rows] for name, values in columns.items()})
        _merge_texts(writer, "all_ids", repeated)
        for name in count_columns:
            _merge_texts(writer, name, raised[name])
        tally.n_written = writer.n


def merge_spectrum_embeddings(parts: NamedPaths, destination: str, tally: Tally, *, force: bool) -> None:
    """Write one file of several of the same model.

    Records of shards of one file keep their numbers; those of other parts are numbered on from part to part.
    """
    tally.noun = "spectra"
    is_one_file = read_part(parts[0][0]) is not None
    with _merging(SpectrumEmbeddings, spectra.LAYOUT, parts, destination, force) as (files, writer):
        before = 0
        for file in files:
            for columns in file.read_blocks(BLOCK):
                columns["record"] = columns["record"] + before
                writer.append(columns)
            before += 0 if is_one_file else int(file.read("record").max(initial=0))
        tally.n_read = tally.n_written = writer.n


def merge_index_files(parts: NamedPaths, destination: str, tally: Tally, *, force: bool) -> None:
    """Write one index of several of the same space; graph or IVF lists are not kept: they must be built again."""
    tally.noun = "molecules"
    for path, name in parts:
        with open_index(path) as index:
            for what, column in (("graph is", index.graph), ("IVF lists are", index.ivf)):
                if column is not None:
                    logger.warning("%s: its %s left out; sb-build-index builds new ones from embeddings", name, what)
    counts = merge_indexes([path for path, _ in parts], destination, force=force)
    tally.n_read, tally.n_written = counts.n_read, counts.n_written


def merge_references(parts: NamedPaths, destination: str, tally: Tally, *, force: bool) -> None:
    """Write one reference of several of the same encoder; a repeated accession counts as the first has it."""
    tally.noun = "spectra"
    contents = []
    for path, name in parts:
        with ReferenceFile(path, name) as file:
            contents.append(file.read())
            contents[0][3].require_same(file.space, parts[0][1], name)
        tally.n_read += len(contents[-1][0])
    whole = joined(contents)
    with output_path(destination, force=force) as temporary:
        write_reference(temporary, *whole)
    tally.n_written = len(whole[0])


@contextlib.contextmanager
def _merging(
    kind: type[Embeddings], layout: Layout, parts: NamedPaths, destination: str, force: bool
) -> Iterator[tuple[list[Embeddings], ColumnWriter]]:
    """Yield the open files and the writer of the whole, once all attributes and the type of the vectors agree."""
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(kind(path, layout, name=name)) for path, name in parts]
        for file in files[1:]:
            _require_same(files[0], file, layout)
        attributes = {name: files[0].attributes[name] for name in layout.attributes}
        temporary = stack.enter_context(output_path(destination, force=force))
        dtype = files[0].embedding.dtype
        counts = _count_columns(files)
        layout = molecules.layout_with(layout, counts) if counts else layout
        yield files, stack.enter_context(create_columns(temporary, layout, attributes, dtype=dtype))


def _require_same(first: Embeddings, other: Embeddings, layout: Layout) -> None:
    expected, found = _origin(first, layout), _origin(other, layout)
    for name, value in expected.items():
        if found[name] != value:
            raise MismatchError(
                f"{first.name} has {name} {value}, {other.name} has {found[name]}",
                advice="only embeddings of one model or encoder can be merged",
            )


def _origin(file: MoleculeEmbeddings | SpectrumEmbeddings, layout: Layout) -> dict[str, object]:
    attributes = {name: file.attributes[name] for name in layout.attributes if name not in _FREE_ATTRIBUTES}
    return attributes | {"type of the vectors": np.dtype(file.embedding.dtype).name}


def _count_columns(files: Sequence[MoleculeEmbeddings | SpectrumEmbeddings]) -> list[str]:
    opened = [file for file in files if isinstance(file, MoleculeEmbeddings)]
    return sorted({name for file in opened for name in file.count_columns})


def _merge_texts(writer: ColumnWriter, column: str, repeated: Mapping[int, list[str]]) -> None:
    """Add the ids of repeated structures to those of their rows, or raise the counts: {row: texts}."""
    for start, rows in itertools.groupby(sorted(repeated), key=lambda row: row // BLOCK * BLOCK):
        stop = min(start + BLOCK, writer.n)
        texts = writer.texts(column, start=start, stop=stop)
        for row in rows:
            texts[row - start] = merged_text(column, [texts[row - start], *repeated[row]])
        writer.write(column, texts, start=start, stop=stop)
