"""sb-rerank: hits and their spectra -> the hits re-ranked by what the candidates' fragments explain."""

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import model_option, output_options, spectrum_format_option, threads_option

EXAMPLE = """
sb-rerank hits.tsv --spectra spectra.mgf -o reranked.tsv
sb-query spectra.mgf --index index.h5 --top 50 | sb-rerank - --spectra spectra.mgf --explain peaks.tsv | head
"""


@command("sb-rerank", example=EXAMPLE)
@click.argument("hits", metavar="HITS")
@click.option("--spectra", required=True, metavar="FILE", help="The spectra that sb-query has read.")
@model_option
@click.option("--ranker", metavar="FILE", help="File that holds the ranker, where it is not the model's own.")
@output_options(what="Hits, re-ranked")
@click.option(
    "--top", type=click.IntRange(min=0), default=50, metavar="N", help="Candidates to score anew, by cosine; 0 for all."
)
@click.option("--explain", metavar="FILE", help="Write the peaks that fragments explain, TSV.")
@click.option(
    "--explain-top", type=click.IntRange(min=1), default=5, metavar="N", help="Candidates of a query in that table."
)
@click.option("--format", "output_format", type=click.Choice(("tsv", "jsonl")), default="tsv", help="Of the hits.")
@spectrum_format_option
@threads_option
def main(
    hits, spectra, model, ranker, output, force, top, explain, explain_top, output_format, input_format, threads, quiet
):
    """Re-rank HITS of sb-query by the peaks that each candidate's fragments explain.

    The score becomes a weighted sum of the cosine and of the fragment score, which stand beside it together with the
    explained share of the intensity. Candidates beyond --top follow by cosine. The hits must be in the order of the
    spectra, as sb-query writes them; queries without a candidate pass through.
    """
    if hits == "-" and spectra == "-":
        raise click.UsageError("HITS and --spectra cannot both be stdin")
    import contextlib

    from specbridge_tools.fragmentation.ranker import load_ranker
    from specbridge_tools.fragmentation.tables import rerank_table
    from specbridge_tools.progress import progress
    from specbridge_tools.records import Tally
    from specbridge_tools.streams import output_text
    from specbridge_tools.threads import available_threads

    path = ranker or model
    loaded = load_ranker(path)
    tally = Tally(noun="queries")
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(output_text(output, force=force))
        peaks = stack.enter_context(output_text(explain, force=force)) if explain else None
        display = stack.enter_context(progress("queries", quiet=quiet))
        rerank_table(
            hits, spectra, stream, loaded, ranker_path=path, top=top, threads=threads or available_threads(),
            input_format=input_format, output_format=output_format, explained=peaks, explain_top=explain_top,
            tally=tally, display=display,
        )  # fmt: skip
    closing_line(tally.summary(), quiet=quiet)
