"""Molecule embeddings -> index file, streamed: sorted runs on disk, then a merge."""

import contextlib
import dataclasses
import functools
import tempfile
from pathlib import Path

from specbridge_tools.embeddings.molecules import open_molecule_embeddings
from specbridge_tools.embeddings.space import Space, require_same
from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.progress import SilentProgress
from specbridge_tools.provenance import Part, in_order
from specbridge_tools.search.index.format import create_index_file, text_sizes
from specbridge_tools.search.index.merge import merged_rows
from specbridge_tools.search.index.reader import open_index
from specbridge_tools.search.index.sorted_runs import common_space, rows_in_memory, write_runs
from specbridge_tools.streams import output_path

# Runs that are merged at once: each is an open file.
_MOST_RUNS = 64


@dataclasses.dataclass(frozen=True)
class BuildCounts:
    """How many molecules were read and how many the index holds; the others were repeats."""

    n_read: int
    n_written: int

    def summary(self):
        """One line, as the other commands have it."""
        return f"{self.n_read} molecules read, {self.n_read - self.n_written} merged, {self.n_written} written"


def build_index(
    inputs,
    destination,
    *,
    pick_model=None,
    dtype="float16",
    neighbours=None,
    memory_mb=1024,
    force=False,
    display=None,
):
    """Write the index of the molecule embeddings `inputs` (paths or `-`) to `destination`; -> `BuildCounts`.

    pick_model  (space, name) -> the model whose molecule head the vectors of that space go through, or None for none
    dtype       of the stored vectors: float16 or float32
    neighbours  `graph.GraphOptions` or `ivf.IvfOptions`, to add what searches without a mass go by; or None
    memory_mb   about how much memory (MiB) the rows may take; where the inputs are larger, sorted runs wait on the disk
                beside the destination
    display     progress, in molecules

    The same molecule (first InChIKey block, formula) of several inputs is kept once, as the first input has it, with
    the ids of all. The index of one shard (`provenance.Part`) says that it is one; several shards must be all of one
    run. Raises `MismatchError` where they are not, where the inputs are of different encoders or the model is of
    another, and `DataError` where they hold no molecule or what is no number.
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
            raise DataError("there is no molecule", where=", ".join(each.name for each in opened))
        while len(runs) > _MOST_RUNS:
            runs = _merge_groups(runs, folder, memory_mb)
        return BuildCounts(
            n_read, _merge_files(runs, temporary, folder, neighbours=neighbours, memory_mb=memory_mb, part=part)
        )


def merge_indexes(inputs, destination, *, neighbours=None, memory_mb=1024, force=False):
    """Write one index of several (paths or `-`) of the same space and dtype; -> `BuildCounts`."""
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(output_path(destination, force=force))
        folder = stack.enter_context(_folder_beside(temporary))
        indexes = [stack.enter_context(open_index(source)) for source in inputs]
        for index in indexes[1:]:
            advice = "only indexes of one encoder and model can be merged"
            require_same(indexes[0].space, indexes[0].name, index.space, index.name, advice=advice)
            if index.dtype != indexes[0].dtype:
                message = f"{indexes[0].name} holds {indexes[0].dtype}, {index.name} {index.dtype}"
                raise UsageError(message, advice="build one of them again with the other's --dtype")
        n_written = _write_merged(indexes, temporary, folder, neighbours=neighbours, memory_mb=memory_mb)
        return BuildCounts(sum(index.n for index in indexes), n_written)


def _of_one_run(opened):
    """Open embeddings -> (the same, shards in their order, the part of a whole that the index will be, or None)."""
    parts = [Part.parse(str(each.attributes.get("part", ""))) for each in opened]
    if len(opened) == 1:
        return opened, parts[0]
    return in_order([(part, each, each.name) for part, each in zip(parts, opened, strict=True)]), None


@contextlib.contextmanager
def _folder_beside(path):
    with tempfile.TemporaryDirectory(prefix=f"{path.name}.", suffix=".runs", dir=path.parent) as folder:
        yield Path(folder)


def _merge_groups(runs, folder, memory_mb):
    """Merge `_MOST_RUNS` neighbours at a time, so that no more files than that are ever open; -> fewer runs."""
    fewer = []
    for start in range(0, len(runs), _MOST_RUNS):
        group = runs[start : start + _MOST_RUNS]
        target = folder / f"{group[0].stem}-{len(group)}.h5"
        _merge_files(group, target, folder, neighbours=None, memory_mb=memory_mb)
        for run in group:
            run.unlink()
        fewer.append(target)
    return fewer


def _merge_files(paths, destination, folder, *, neighbours, memory_mb, part=None):
    with contextlib.ExitStack() as stack:
        indexes = [stack.enter_context(open_index(path)) for path in paths]
        return _write_merged(indexes, destination, folder, neighbours=neighbours, memory_mb=memory_mb, part=part)


def _write_merged(indexes, destination, folder, *, neighbours, memory_mb, part=None):
    """Merge open indexes of one space into a new file; -> number of molecules.

    HDF5's contiguous datasets need their sizes beforehand, so a first pass, without vectors, counts.
    """
    space, dtype = indexes[0].space, indexes[0].dtype
    block_rows = min(4096, max(16, rows_in_memory(memory_mb, space.dimension, dtype) // (4 * len(indexes))))
    n, sizes = text_sizes(merged_rows(indexes, block_rows=block_rows, with_embedding=False))
    blocks = functools.partial(merged_rows, indexes, block_rows=block_rows)
    addition = neighbours and neighbours.addition(blocks(), folder, n=n, dimension=space.dimension)
    settings = {"n": n, "dtype": dtype, "text_bytes": sizes, "addition": addition, "part": part}
    with create_index_file(destination, space, **settings) as file:
        for block in blocks():
            file.append(block)
        if addition is not None:
            addition.fill(file)
    return n
