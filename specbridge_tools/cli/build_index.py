"""sb-build-index: molecule embeddings -> an index to search."""

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
@click.option("--memory", type=click.IntRange(min=1), default=1024, metavar="MB", help="Memory to sort in, MiB.")
@click.option("--graph", is_flag=True, help="Add an hnswlib graph, for sb-query --mode open. It must fit in memory.")
@click.option("--graph-metric", type=click.Choice(("cosine", "ip")), default="cosine", help="Metric of the graph.")
@click.option("--graph-m", type=click.IntRange(2, 200), default=16, metavar="M", help="Links a node of the graph.")
@click.option(
    "--graph-ef-construction", type=click.IntRange(min=1), default=200, metavar="N", help="Candidates kept to link."
)
@click.option("--graph-seed", type=click.IntRange(min=0), default=0, metavar="SEED", help="Seed of the graph.")
@click.option("--ivf", is_flag=True, help="Add the lists of a FAISS IVF, for sb-query --mode open beyond memory.")
@click.option(
    "--ivf-lists", type=click.IntRange(min=1), metavar="N", help="How many.  [default: 2 x the root of the molecules]"
)
@threads_option
def main(
    molecules, output, force, model, dtype, memory, graph, graph_metric, graph_m, graph_ef_construction, graph_seed,
    ivf, ivf_lists, threads, quiet,
):  # fmt: skip
    """Sort molecule embeddings by exact mass and write them as one index.

    MOLECULES are files that sb-embed-mols wrote with one encoder, or -; together they may be larger than the memory,
    sorted pieces then wait beside the output. A molecule that stands in several is kept once, as in the first, with all
    its ids. The vectors go through the molecule head of --model, where it has one; the model that ships is left out
    where it belongs to another encoder. The same input gives the same index, byte for byte.
    """
    if molecules.count("-") > 1:
        raise click.UsageError("only one input can be stdin")
    if graph and ivf:
        raise click.UsageError("an index has a graph or IVF lists: --graph and --ivf do not go together")
    import functools

    from specbridge_tools.identification.default_model import model_for_molecules
    from specbridge_tools.progress import progress
    from specbridge_tools.search.index.build import build_index
    from specbridge_tools.search.index.hnsw import GraphOptions
    from specbridge_tools.search.index.ivf import IvfOptions
    from specbridge_tools.threads import available_threads

    options = GraphOptions(graph_metric, graph_m, graph_ef_construction, graph_seed) if graph else None
    options = IvfOptions(ivf_lists, threads or available_threads()) if ivf else options
    with progress("molecules", quiet=quiet) as display:
        counts = build_index(
            molecules,
            output,
            pick_model=functools.partial(model_for_molecules, path=model, threads=threads),
            dtype=dtype,
            neighbours=options,
            memory_mb=memory,
            force=force,
            display=display,
        )
    closing_line(counts.summary(), quiet=quiet)
