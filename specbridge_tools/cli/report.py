"""sb-report: hits -> one page for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import (
    group_option,
    model_option,
    output_options,
    reference_option,
    truth_option,
)
from specbridge_tools.cli.reading_options import reading_options

if TYPE_CHECKING:
    from specbridge_tools.spectra.reading import Reading

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
    help="Draw the spectra that sb-query read; for merged hits, once for each part, in their order.",
)
@truth_option()
@model_option
@output_options(what="Page, HTML")
@click.option(
    "--show-queries", type=click.IntRange(min=0), default=100, metavar="N", help="Show the first N queries, 0 for all."
)
@click.option(
    "--show-candidates",
    type=click.IntRange(min=1),
    default=5,
    metavar="N",
    help="Show the best N candidates of each query.",
)
@group_option
@reference_option
@reading_options
def main(
    hits: str, spectra: tuple[str, ...], truth: str | None, model: str | None, output: str, force: bool,
    show_queries: int, show_candidates: int, group_by: str | None, reference: tuple[str, ...], reading: Reading,
    quiet: bool,
) -> None:  # fmt: skip
    """Show the HITS of sb-query or sb-rerank as one HTML page, which needs no network.

    The first --show-queries are a table to sort and filter: the best candidate of each, its probability, what
    reference spectra say, its confidence level; --truth says which are right. A query has its candidates with
    structures, scores and masses, and with --spectra the spectrum, in colour where fragments explain it: a peak shows
    its fragment inside the structure, and two candidates stand side by side. The model's ranker explains the peaks;
    --model, --group-by and --reference must be those of sb-query. Counts of all queries, and the reasons of those
    without a candidate, stand there, too. Without scripts, and on paper, the page says the same in plain form.
    """
    if sum(path == "-" for path in (hits, truth, *spectra)) > 1:
        raise click.UsageError("only one of HITS, --spectra and --truth can be stdin")
    from specbridge_tools.evaluation.truth import read_truths
    from specbridge_tools.fragmentation.network.ranker_file import find_ranker
    from specbridge_tools.identification.references import accessions_of
    from specbridge_tools.progress import progress
    from specbridge_tools.records import Tally
    from specbridge_tools.report.page import write_report
    from specbridge_tools.streams import check_output, output_text, rewindable

    check_output(output, force=force)
    tally, of_truths = Tally(noun="queries"), Tally(noun="true structures")
    truths = None if truth is None else read_truths(truth, of_truths, reading=reading, group_by=group_by)
    with (
        rewindable(hits) as stream,
        output_text(output, force=force) as page,
        progress("queries", quiet=quiet) as display,
    ):
        write_report(
            stream, page, spectra=spectra, truths=truths, ranker=find_ranker(model) if spectra else None,
            accessions=accessions_of(stream, reference), queries=show_queries,
            top=show_candidates, group_by=group_by, reading=reading, tally=tally,
            display=display,
        )  # fmt: skip
    closing_line(tally.summary(), quiet=quiet)
