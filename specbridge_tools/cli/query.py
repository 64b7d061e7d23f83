"""sb-query: spectra or their embeddings -> ranked candidates."""

import os

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import (
    batch_size_option,
    device_option,
    model_option,
    output_options,
    record_options,
    spectrum_format_option,
    threads_option,
)

EXAMPLE = """
sb-query spectra.mgf --index index.h5 -o hits.tsv
zcat spectra.mgf.gz | sb-query - --index index.h5 --tolerance 5ppm --top 1 -o - | head
"""


@command("sb-query", example=EXAMPLE)
@click.argument("spectra", metavar="SPECTRA")
@click.option("--index", required=True, metavar="FILE", help="Index made by sb-build-index.")
@model_option
@output_options(what="Hits, a row for each candidate")
@click.option(
    "--mode",
    type=click.Choice(("mass", "formula", "open")),
    default="mass",
    help="Compare with molecules of the mass, of the formula, or with all.",
)
@click.option("--tolerance", default="10ppm", metavar="WIDTH", help="Of the neutral mass: in ppm or Da, e.g. 0.005Da.")
@click.option("--formula-column", default="formula", metavar="FIELD", help="Field of the spectra with their formula.")
@click.option("--exact", is_flag=True, help="In mode open, compare with every molecule instead of using the graph.")
@click.option(
    "--effort", type=click.IntRange(min=1), default=200, metavar="N", help="Candidates the graph search keeps."
)
@click.option("--top", type=click.IntRange(min=0), default=10, metavar="K", help="Candidates to write, 0 for all.")
@click.option("--format", "output_format", type=click.Choice(("tsv", "jsonl")), default="tsv", help="Of the hits.")
@spectrum_format_option
@record_options
@batch_size_option
@device_option
@threads_option
def main(
    spectra, index, model, output, force, mode, tolerance, formula_column, exact, effort, top, output_format,
    input_format, rejects, strict, batch_size, device, threads, quiet,
):  # fmt: skip
    """Rank the molecules of the index for each of SPECTRA: MGF, MSP, mzML, or embeddings of sb-embed-spectra.

    Every record has its answer, in the order of the file: candidates by descending score (cosine), or one row with the
    reason why there is none. Equal scores share a rank and stand in the order of their InChIKeys. Without an adduct,
    each of the usual ones is searched, and the one behind a candidate is named. Embeddings need no --model, but have
    probabilities only with it.
    """
    if spectra == "-" and index == "-":
        raise click.UsageError("SPECTRA and --index cannot both be stdin")
    from specbridge_tools.threads import available_threads

    threads = threads or available_threads()
    os.environ["OPENBLAS_NUM_THREADS"] = str(threads)  # numpy reads it when it is imported, below
    from specbridge_tools.progress import progress
    from specbridge_tools.records import open_tally
    from specbridge_tools.search.index import open_index
    from specbridge_tools.search.models import model_for_spectra
    from specbridge_tools.search.query import SearchOptions, query, write_hits
    from specbridge_tools.search.tolerance import Tolerance
    from specbridge_tools.streams import open_input, output_text

    options = SearchOptions(mode, Tolerance.parse(tolerance), top, exact, formula_column, effort)
    with (
        output_text(output, force=force) as stream,
        open_tally("spectra", rejects=rejects, strict=strict, force=force) as tally,
        open_index(index) as opened,
        open_input(spectra) as source,
        progress("spectra", quiet=quiet) as display,
    ):
        answers = query(
            source,
            index=opened,
            model=model_for_spectra(source, source=model, device=device, threads=threads),
            options=options,
            input_format=input_format,
            batch_size=batch_size,
            threads=threads,
            tally=tally,
        )
        n_empty = write_hits(answers, stream, tally=tally, output_format=output_format, display=display)
    closing_line(f"{tally.summary()}, {n_empty} without a candidate", quiet=quiet)
