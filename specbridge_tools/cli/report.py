"""sb-report: hits -> one page for people."""

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import group_option, model_option, output_options, spectrum_format_option

EXAMPLE = """
sb-report hits.tsv --spectra spectra.mgf -o report.html
sb-query spectra.mgf --index index.h5 | sb-report - --spectra spectra.mgf --truth spectra.mgf -o report.html
"""


@command("sb-report", example=EXAMPLE)
@click.argument("hits", metavar="HITS")
@click.option(
    "--spectra",
    multiple=True,
    metavar="FILE",
    help="Draw the spectra that sb-query has read; for merged hits once for each part, in their order.",
)
@click.option(
    "--truth", metavar="SPECTRA", help="Tell right from wrong by these spectra with SMILES, InChI or InChIKey."
)
@model_option
@output_options(what="Page, HTML")
@click.option(
    "--queries", type=click.IntRange(min=0), default=100, metavar="N", help="Queries to show, the first; 0 for all."
)
@click.option(
    "--top", type=click.IntRange(min=1), default=5, metavar="N", help="Candidates of each query to show, the best."
)
@group_option
@spectrum_format_option
def main(hits, spectra, truth, model, output, force, queries, top, group_by, input_format, quiet):
    """Show the HITS of sb-query or sb-rerank as one HTML page, which needs neither network nor scripts.

    At the top stand the counts of all queries, the reasons of those without a candidate, and what probabilities the
    best candidates state. Then come the first --queries: the best candidates of each with their structures, scores and
    masses, and with --spectra a picture of the spectrum, the peaks that fragments of the first candidate explain in
    colour. For this the model's ranker is used; --model and --group-by must be those of sb-query.
    """
    if sum(path == "-" for path in (hits, truth, *spectra)) > 1:
        raise click.UsageError("only one of HITS, --spectra and --truth can be stdin")
    from specbridge_tools.evaluation.truth import read_truths
    from specbridge_tools.fragmentation.network.ranker_file import find_ranker
    from specbridge_tools.progress import progress
    from specbridge_tools.records import Tally
    from specbridge_tools.report.page import write_report
    from specbridge_tools.streams import check_output, output_text, rewindable

    check_output(output, force=force)
    tally, of_truths = Tally(noun="queries"), Tally(noun="true structures")
    truths = None if truth is None else read_truths(truth, of_truths, input_format=input_format, group_by=group_by)
    with (
        rewindable(hits) as stream,
        output_text(output, force=force) as page,
        progress("queries", quiet=quiet) as display,
    ):
        write_report(
            stream, page, spectra=spectra, truths=truths, ranker=find_ranker(model) if spectra else None,
            queries=queries, top=top, group_by=group_by, input_format=input_format, tally=tally, display=display,
        )  # fmt: skip
    closing_line(tally.summary(), quiet=quiet)
