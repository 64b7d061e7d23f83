"""Molecule embeddings -> index file, streamed: sorted runs on disk, then a merge."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import DTypeLike

from specbridge_tools.embeddings.molecules import MoleculeEmbeddings, open_molecule_embeddings
from specbridge_tools.embeddings.space import Space, require_same
from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.progress import SilentProgress
from specbridge_tools.provenance import Part, in_order
from specbridge_tools.search.index.format import Addition, create_index_file, text_sizes
from specbridge_tools.search.index.merge import merged_rows
from specbridge_tools.search.index.molecule_rows import Rows
from specbridge_tools.search.index.reader import Index, open_index
from specbridge_tools.search.index.sorted_runs import common_space, rows_in_memory, write_runs
from specbridge_tools.streams import output_path

if TYPE_CHECKING:
    from specbridge_tools.bridge.model import AlignedModel

# Runs that are merged at once: each is an open file.
_MOST_RUNS = 64


class Neighbours(Protocol):
    """How to make what a search without a mass uses: `hnsw.GraphOptions` or `ivf.IvfOptions`."""

    def addition(
        self, blocks: Iterable[Rows], folder: Path, *, n: int, dimension: int, dtype: np.dtype[np.floating]
    ) -> Addition:
        """What to add to an index of the `n` molecules of `blocks`; may leave files in `folder`."""
        ...


@dataclasses.dataclass(frozen=True)
class BuildCounts:
    """How many molecules were read and how many the index holds; the others were repeats."""

    n_read: int
    n_written: int

    def summary(self) -> str:
        """One line, as the other commands have it."""
        return f"{self.n_read} molecules read, {self.n_read - self.n_written} merged, {self.n_written} written"


def build_index(
    inputs: Sequence[str | os.PathLike[str]],
    destination: str | os.PathLike[str],
    *,
    pick_model: Callable[[Space, str], AlignedModel | None] | None = None,
    dtype: DTypeLike = "float16",
    neighbours: Neighbours | None = None,
    memory_mb: int = 1024,
    force: bool = False,
    display: SilentProgress | None = None,
) -> BuildCounts:
    """Write the index of molecule embeddings.

    The same molecule (first InChIKey block, formula) of several inputs is kept once, as the first input has it, with
    the ids of all. The index of one shard (`provenance.Part`) says that it is one; several shards must be all of one
    run.

    Args:
        inputs: molecule embeddings, paths or `-`.
        destination: of the index, path or `-`.
        pick_model: space of the vectors, name of the first input -> the model whose molecule head they go through, or
            None for none.
        dtype: of the stored vectors: float16 or float32.
        neighbours: the graph or inverted lists to add, if any.
        memory_mb: about how much memory (MiB) the rows may take; where the inputs are larger, sorted runs wait on the
            disk beside the destination.
        force: overwrite a file.
        display: progress, in molecules.

    Raises:
        MismatchError: The shards are not all of one run, the inputs are of different encoders, or the model is of
            another.
        DataError: The inputs hold no molecule, or values that are not finite.
    """
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(output_path(destination, force=force))
        folder = stack.enter_context(_folder_beside(temporary))
        opened, part = _of_one_run([stack.enter_context(open_molecule_embeddings(source)) for source in inputs])
        raw = common_space(opened)
        model = pick_model(raw, opened[0].name) if pick_model else None
        space = Space.of_model(model) if model else raw
        runs, n_read = write_runs(
            opened, folder, space, model=model, dtype=dtype, memory_mb=memory_mb, display=display or SilentProgress()
        )
        if not n_read:
            raise DataError("no molecules to index", where=", ".join(embeddings.name for embeddings in opened))
        while len(runs) > _MOST_RUNS:
            runs = _merge_groups(runs, folder, memory_mb)
        return BuildCounts(
            n_read, _merge_files(runs, temporary, folder, neighbours=neighbours, memory_mb=memory_mb, part=part)
        )


def merge_indexes(
    inputs: Sequence[str | os.PathLike[str]],
    destination: str | os.PathLike[str],
    *,
    neighbours: Neighbours | None = None,
    memory_mb: int = 1024,
    force: bool = False,
) -> BuildCounts:
    """Write one index of several (paths or `-`) of the same space and dtype; arguments as in `build_index`."""
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(output_path(destination, force=force))
        folder = stack.enter_context(_folder_beside(temporary))
        indexes = [stack.enter_context(open_index(source)) for source in inputs]
        require_same_vectors(indexes, advice="only indexes of one encoder and model can be merged")
        n_written = _write_merged(indexes, temporary, folder, neighbours=neighbours, memory_mb=memory_mb)
        return BuildCounts(sum(index.n for index in indexes), n_written)


def require_same_vectors(indexes: Sequence[Index], *, advice: str) -> None:
    """Raise `MismatchError` for indexes of two spaces, `UsageError` for vectors of two dtypes, naming both."""
    first = indexes[0]
    for index in indexes[1:]:
        require_same(first.space, first.name, index.space, index.name, advice=advice)
        if index.dtype != first.dtype:
            message = f"{first.name} holds {first.dtype}, {index.name} {index.dtype}"
            raise UsageError(message, advice="build one of them again with the other's --dtype")


def _of_one_run(opened: list[MoleculeEmbeddings]) -> tuple[list[MoleculeEmbeddings], Part | None]:
    """Open embeddings, shards in their order; and the part of a whole that the index will be, or None."""
    parts = [Part.parse(str(embeddings.attributes.get("part", ""))) for embeddings in opened]
    if len(opened) == 1:
        return opened, parts[0]
    named = [(part, embeddings, embeddings.name) for part, embeddings in zip(parts, opened, strict=True)]
    return in_order(named), None


@contextlib.contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=f"{path.name}.", suffix=".runs", dir=path.parent) as folder:
        yield Path(folder)


def _merge_groups(runs: list[Path], folder: Path, memory_mb: int) -> list[Path]:
    """Merge `_MOST_RUNS` runs at a time, so that no more files than that are ever open; fewer runs."""
    fewer = []
    for start in range(0, len(runs), _MOST_RUNS):
        group = runs[start : start + _MOST_RUNS]
        target = folder / f"{group[0].stem}-{len(group)}.h5"
        _merge_files(group, target, folder, neighbours=None, memory_mb=memory_mb)
        for run in group:
            run.unlink()
        fewer.append(target)
    return fewer


def _merge_files(
    paths: Sequence[Path],
    destination: Path,
    folder: Path,
    *,
    neighbours: Neighbours | None,
    memory_mb: int,
    part: Part | None = None,
) -> int:
    with contextlib.ExitStack() as stack:
        indexes = [stack.enter_context(open_index(path)) for path in paths]
        return _write_merged(indexes, destination, folder, neighbours=neighbours, memory_mb=memory_mb, part=part)


def _write_merged(
    indexes: Sequence[Index],
    destination: Path,
    folder: Path,
    *,
    neighbours: Neighbours | None,
    memory_mb: int,
    part: Part | None = None,
) -> int:
    """Merge open indexes of one space into a new file; the number of molecules.

    HDF5's contiguous datasets need their sizes beforehand, so a first pass, without vectors, counts.
    """
    space, dtype = indexes[0].space, indexes[0].dtype
    block_rows = min(4096, max(16, rows_in_memory(memory_mb, space.dimension, dtype) // (4 * len(indexes))))
    n, sizes = text_sizes(merged_rows(indexes, block_rows=block_rows, with_embedding=False))
    blocks = functools.partial(merged_rows, indexes, block_rows=block_rows)
    addition = None
    if neighbours is not None:
        addition = neighbours.addition(blocks(), folder, n=n, dimension=space.dimension, dtype=dtype)
    with create_index_file(
        destination, space, n=n, dtype=dtype, text_bytes=sizes, addition=addition, part=part
    ) as file:
        for block in blocks():
            file.append(block)
        if addition is not None:
            addition.fill(file)
    return n
