"""Molecule embeddings -> sorted pieces that each fit the memory, every piece an index file of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from specbridge_tools.embeddings.molecules import MoleculeEmbeddings
from specbridge_tools.embeddings.space import Space, require_same
from specbridge_tools.errors import DataError
from specbridge_tools.progress import SilentProgress
from specbridge_tools.search.index.exact_scores import unit_rows
from specbridge_tools.search.index.format import create_index_file, text_sizes
from specbridge_tools.search.index.molecule_rows import (
    TEXTS,
    Rows,
    concatenate,
    index_order,
    merge_repeats,
    with_columns,
)

if TYPE_CHECKING:
    from specbridge_tools.bridge.model import AlignedModel

# What the texts and keys of a molecule take in memory, on top of its vector.
_TEXT_BYTES = 1200
_BLOCK_ROWS = 4096


def rows_in_memory(memory_mb: int, dimension: int, dtype: DTypeLike) -> int:
    """How many molecules `memory_mb` MiB hold while they are sorted; at least one."""
    return max(1, memory_mb * 2**20 // (2 * dimension * np.dtype(dtype).itemsize + _TEXT_BYTES))


def common_space(inputs: Sequence[MoleculeEmbeddings]) -> Space:
    """The space of the vectors of open molecule embeddings; raises `MismatchError` naming two that differ."""
    spaces = [Space.of_embeddings(embeddings) for embeddings in inputs]
    for embeddings, space in zip(inputs, spaces, strict=True):
        require_same(spaces[0], inputs[0].name, space, embeddings.name, advice="embed all molecules with one encoder")
    return spaces[0]


def write_runs(
    inputs: Sequence[MoleculeEmbeddings],
    folder: Path,
    space: Space,
    *,
    model: AlignedModel | None,
    dtype: DTypeLike,
    memory_mb: int,
    display: SilentProgress,
) -> tuple[list[Path], int]:
    """Sort the molecules of open embeddings into index files in `folder`; their paths, and the number of molecules."""
    runs: list[Path] = []
    waiting: list[Rows] = []
    n_waiting = n_read = 0
    n_most = rows_in_memory(memory_mb, space.dimension, dtype)
    for block in _encoded_blocks(inputs, model=model, dtype=dtype, block_rows=min(n_most, _BLOCK_ROWS)):
        if n_waiting + len(block) > n_most:
            runs.append(_write_run(waiting, folder / f"run-{len(runs)}.h5", space))
            waiting, n_waiting = [], 0
        waiting.append(block)
        n_waiting += len(block)
        n_read += len(block)
        display.advance(len(block))
    if waiting:
        runs.append(_write_run(waiting, folder / f"run-{len(runs)}.h5", space))
    return runs, n_read


def _encoded_blocks(
    inputs: Sequence[MoleculeEmbeddings], *, model: AlignedModel | None, dtype: DTypeLike, block_rows: int
) -> Iterator[Rows]:
    """The molecules of all inputs as `Rows`, their vectors as the index stores them."""
    counts = sorted({name for embeddings in inputs for name in embeddings.count_columns})
    for number, embeddings in enumerate(inputs):
        position = 0
        for block in embeddings.blocks(block_rows):
            vectors = block.embedding.astype(np.float32, copy=False)
            encoded = vectors if model is None else model.encode_molecules(vectors)
            if not (np.isfinite(encoded).all() and np.isfinite(block.exact_mass).all()):
                raise DataError("an embedding or a mass is not a finite number", where=embeddings.name)
            yield Rows(
                block.exact_mass,
                block.inchikey14.astype("S14"),
                with_columns({name: getattr(block, name) for name in TEXTS} | dict(block.counts), counts, len(block)),
                np.full(len(block), number),
                np.arange(position, position + len(block)),
                unit_rows(encoded, dtype),
            )
            position += len(block)


def _write_run(blocks: Sequence[Rows], path: Path, space: Space) -> Path:
    """Sort blocks, merge repeats among them and write them as an index file at `path`."""
    rows = concatenate(blocks)
    embedding = rows.vectors
    # from here on `position` is the row of `embedding`; the order in which the molecules came is the same
    rows = dataclasses.replace(rows, embedding=None, source=np.zeros(len(rows), int), position=np.arange(len(rows)))
    rows = merge_repeats(rows.take(index_order(rows)))
    n, sizes = text_sizes([rows])
    with create_index_file(path, space, n=n, dtype=embedding.dtype, text_bytes=sizes) as file:
        for start in range(0, len(rows), _BLOCK_ROWS):
            piece = rows.take(slice(start, start + _BLOCK_ROWS))
            file.append(dataclasses.replace(piece, embedding=embedding[piece.position]))
    return path
