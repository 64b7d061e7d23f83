"""Merging HDF5 files: embeddings and indexes. `named` are the parts as (path, name to show)."""

import contextlib
import itertools
import logging

import numpy as np

from specbridge_tools.embeddings import molecules, spectra
from specbridge_tools.embeddings.columns import create_columns
from specbridge_tools.embeddings.molecules import MoleculeEmbeddings, joined_ids
from specbridge_tools.embeddings.spectra import SpectrumEmbeddings
from specbridge_tools.errors import MismatchError
from specbridge_tools.parts.marks import read_part
from specbridge_tools.search.index.build import merge_indexes
from specbridge_tools.search.index.reader import open_index
from specbridge_tools.streams import output_path

_logger = logging.getLogger(__name__)
BLOCK = 4096
# a model is known by its content: its name may be a path
_FREE_ATTRIBUTES = ("model",)


def merge_molecule_embeddings(named, destination, tally, *, force):
    """One file of several of the same encoder; a structure that stands in several is kept once, as the first has it,
    with the ids of all.
    """
    tally.noun = "molecules"
    row_of, repeated = {}, {}
    with _merging(MoleculeEmbeddings, molecules.LAYOUT, named, destination, force) as (files, writer):
        for columns in itertools.chain.from_iterable(file.read_blocks(BLOCK) for file in files):
            tally.n_read += len(columns["id"])
            new = []
            keys = zip(columns["inchikey14"].tolist(), columns["formula"], columns["all_ids"], strict=True)
            for i, (inchikey14, formula, ids) in enumerate(keys):
                row = row_of.setdefault((inchikey14, formula), len(row_of))
                if row == writer.n + len(new):
                    new.append(i)
                else:
                    repeated.setdefault(row, []).append(ids)
            writer.append({name: values[new] for name, values in columns.items()})
        _add_ids(writer, repeated)
        tally.n_written = writer.n


def merge_spectrum_embeddings(named, destination, tally, *, force):
    """One file of several of the same model. Shards of one file have its numbers of records; those of other parts are
    numbered on from part to part.
    """
    tally.noun = "spectra"
    is_one_file = read_part(named[0][0]) is not None
    with _merging(SpectrumEmbeddings, spectra.LAYOUT, named, destination, force) as (files, writer):
        before = 0
        for file in files:
            for columns in file.read_blocks(BLOCK):
                columns["record"] = columns["record"] + before
                writer.append(columns)
            before += 0 if is_one_file else int(file.read("record").max(initial=0))
        tally.n_read = tally.n_written = writer.n


def merge_index_files(named, destination, tally, *, force):
    """One index of several of the same space; graph or IVF lists are not kept: they would have to be built again."""
    tally.noun = "molecules"
    for path, name in named:
        with open_index(path) as index:
            for what, column in (("graph is", index.graph), ("IVF lists are", index.ivf)):
                if column is not None:
                    _logger.warning("%s: its %s left out; sb-build-index makes new ones of the embeddings", name, what)
    counts = merge_indexes([path for path, _ in named], destination, force=force)
    tally.n_read, tally.n_written = counts.n_read, counts.n_written


@contextlib.contextmanager
def _merging(kind, layout, named, destination, force):
    """Yield (open files, writer of the whole), once all attributes and the type of the vectors agree."""
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(kind(path, layout, name=name)) for path, name in named]
        for file in files[1:]:
            _require_same(files[0], file, layout)
        attributes = {name: files[0].attributes[name] for name in layout.attributes}
        temporary = stack.enter_context(output_path(destination, force=force))
        dtype = files[0].embedding.dtype
        yield files, stack.enter_context(create_columns(temporary, layout, attributes, dtype=dtype))


def _require_same(first, other, layout):
    facts = [
        {name: file.attributes[name] for name in layout.attributes if name not in _FREE_ATTRIBUTES}
        | {"type of the vectors": str(np.dtype(file.embedding.dtype).name)}
        for file in (first, other)
    ]
    for name, value in facts[0].items():
        if facts[1][name] != value:
            raise MismatchError(
                f"{first.name} has {name} {value}, {other.name} has {facts[1][name]}",
                advice="only embeddings of one model or encoder can be merged",
            )


def _add_ids(writer, repeated):
    """Add the ids of repeated structures to those of their rows: {row: texts of ids}."""
    for start, rows in itertools.groupby(sorted(repeated), key=lambda row: row // BLOCK * BLOCK):
        stop = min(start + BLOCK, writer.n)
        texts = writer.texts("all_ids", start=start, stop=stop)
        for row in rows:
            texts[row - start] = joined_ids([texts[row - start], *repeated[row]])
        writer.write("all_ids", texts, start=start, stop=stop)
