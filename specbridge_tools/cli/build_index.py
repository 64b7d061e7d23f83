"""sb-build-index: molecule embeddings -> an index to search."""

from __future__ import annotations

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import dtype_option, model_option, output_options, threads_option

EXAMPLE = """
sb-build-index molecules.h5 -o index.h5
sb-embed-mols molecules.tsv -o - | sb-build-index - -o - > index.h5
"""


@command("sb-build-index", example=EXAMPLE)
@click.argument("molecules", nargs=-1, required=True, metavar="MOLECULES...")
@output_options(what="Index, HDF5")
@model_option
@dtype_option
@click.option("--memory", type=click.IntRange(min=1), default=1024, metavar="MiB", help="Memory to sort in, MiB.")
@click.option("--hnsw", is_flag=True, help="Add an hnswlib graph, for sb-query --mode open. It must fit in memory.")
@click.option("--hnsw-metric", type=click.Choice(("cosine", "ip")), default="cosine", help="Metric of the graph.")
@click.option("--hnsw-m", type=click.IntRange(2, 200), default=16, metavar="M", help="Links per node of the graph.")
@click.option(
    "--hnsw-ef-construction", type=click.IntRange(min=1), default=200, metavar="N", help="Candidates kept for linking."
)
@click.option("--hnsw-seed", type=click.IntRange(min=0), default=0, metavar="SEED", help="Seed of the graph.")
@click.option(
    "--ivf", is_flag=True, help="Add inverted lists (IVF), for sb-query --mode open beyond memory; needs FAISS."
)
@click.option(
    "--ivf-lists",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of IVF lists.  [default: 2 x the square root of the number of molecules]",
)
@threads_option
def main(
    molecules: tuple[str, ...], output: str, force: bool, model: str | None, dtype: str, memory: int, hnsw: bool,
    hnsw_metric: str, hnsw_m: int, hnsw_ef_construction: int, hnsw_seed: int, ivf: bool, ivf_lists: int | None,
    threads: int | None, quiet: bool,
) -> None:  # fmt: skip
    """Sort molecule embeddings by exact mass and write them as one index.

    MOLECULES are files that sb-embed-mols wrote with one encoder, or -. Together they may be larger than the memory:
    sorted pieces then wait beside the output. A molecule that occurs in several files is kept once, as in the first,
    with all its ids. The vectors go through the molecule head of --model, if it has one; the model that ships is left
    out if it belongs to another encoder. The same input gives the same index, byte for byte.
    """
    if molecules.count("-") > 1:
        raise click.UsageError("only one input can be stdin")
    if hnsw and ivf:
        raise click.UsageError("an index has either a graph or IVF lists: give --hnsw or --ivf")
    import functools

    from specbridge_tools.identification.default_model import model_for_molecules
    from specbridge_tools.progress import progress
    from specbridge_tools.search.index.build import build_index
    from specbridge_tools.search.index.hnsw import GraphOptions
    from specbridge_tools.search.index.ivf import IvfOptions
    from specbridge_tools.threads import available_threads

    neighbours: GraphOptions | IvfOptions | None = None
    if hnsw:
        neighbours = GraphOptions(hnsw_metric, hnsw_m, hnsw_ef_construction, hnsw_seed)
    elif ivf:
        neighbours = IvfOptions(ivf_lists, threads or available_threads())
    with progress("molecules", quiet=quiet) as display:
        counts = build_index(
            molecules,
            output,
            pick_model=functools.partial(model_for_molecules, path=model, threads=threads),
            dtype=dtype,
            neighbours=neighbours,
            memory_mb=memory,
            force=force,
            display=display,
        )
    closing_line(counts.summary(), quiet=quiet)
