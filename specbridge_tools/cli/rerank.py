"""sb-rerank: hits and their spectra -> the hits re-ranked by what the candidates' fragments explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import (
    format_option,
    group_option,
    model_option,
    output_options,
    reference_encoder_option,
    reference_options,
    rerank_option,
    threads_option,
)
from specbridge_tools.cli.part_options import make_plan, part_options, say_done
from specbridge_tools.cli.reading_options import reading_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from specbridge_tools.hits.hits import Hits
    from specbridge_tools.identification.references import References
    from specbridge_tools.shards import Shard
    from specbridge_tools.spectra.reading import Reading

EXAMPLE = """
sb-rerank hits.tsv --spectra spectra.mgf -o reranked.tsv
sb-query spectra.mgf --index index.h5 --rerank 0 --top 50 | sb-rerank - --spectra spectra.mgf --explain peaks.tsv | head
"""


@command("sb-rerank", example=EXAMPLE)
@click.argument("hits", metavar="HITS")
@click.option("--spectra", required=True, metavar="FILE", help="The spectra that sb-query read.")
@model_option
@output_options(what="Hits, re-ranked")
@rerank_option(default="all", help="Score all candidates anew, or the first N by cosine; 0 is all, too.")
@reference_options
@reference_encoder_option
@click.option("--explain", metavar="FILE", help="Write the peaks that fragments explain, TSV.")
@click.option(
    "--explain-top", type=click.IntRange(min=1), default=5, metavar="N", help="Candidates per query in that table."
)
@format_option()
@group_option
@reading_options
@part_options
@threads_option
def main(
    hits: str, spectra: str, model: str | None, output: str, force: bool, rerank: int | str, references: References,
    encoder: str | None, explain: str | None, explain_top: int, output_format: str, group_by: str | None,
    reading: Reading, shard: Shard | None, skip_existing: bool, threads: int | None, quiet: bool,
) -> None:  # fmt: skip
    """Re-rank HITS of sb-query by the peaks that each candidate's fragments explain.

    This is the second half of what sb-query does by default, for hits of sb-query --rerank 0. The score becomes a
    weighted sum of the cosine and the fragment score, which are written beside it together with the explained share of
    the intensity. Candidates beyond --rerank N follow, unless reference spectra speak for them. The hits must be in the
    order of the spectra, as sb-query writes them, and --model and --group-by must be those of sb-query; queries without
    a candidate pass through.
    """
    if hits == "-" and spectra == "-":
        raise click.UsageError("HITS and --spectra cannot both be stdin")
    import contextlib

    from specbridge_tools.fragmentation.network.ranker_file import load_ranker
    from specbridge_tools.hits.table import HitWriter, count_hits, write_hits
    from specbridge_tools.identification.explained import ExplainedPeakWriter, write_explained
    from specbridge_tools.identification.identify import rerank_hits
    from specbridge_tools.identification.references import encoder_of_model, open_referee
    from specbridge_tools.progress import progress
    from specbridge_tools.ranking.ranking_file import find_ranking
    from specbridge_tools.records import Tally
    from specbridge_tools.streams import output_text

    files = ("hits", "spectra", "model")
    plan = make_plan(output, source="hits", count=lambda: count_hits(hits), files=files)
    if plan.is_done:
        return say_done(output, quiet=quiet)
    referee = open_referee(references, encoder_sha256=encoder_of_model(model), encoder=encoder)
    ranker, first = load_ranker(model), 0 if rerank == "all" else int(rerank)
    tally = Tally(noun="queries")
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(output_text(output, force=force))
        peaks = stack.enter_context(output_text(explain, force=force)) if explain else None
        display = stack.enter_context(progress("queries", quiet=quiet))
        reranked = stack.enter_context(
            rerank_hits(
                hits, spectra, ranker=ranker, ranking=find_ranking(model), first=first, referee=referee,
                group_by=group_by, reading=reading, record_range=plan.record_range, tally=tally, threads=threads,
                display=display,
            )
        )  # fmt: skip
        writer = HitWriter(stream, output_format=output_format, columns=reranked.columns, part=plan.part)
        queries: Iterable[Hits] = reranked
        if peaks is not None:
            queries = write_explained(reranked, ExplainedPeakWriter(peaks, ranker, first=explain_top))
        write_hits(queries, writer, tally=tally, display=display)
    return closing_line(tally.summary(), quiet=quiet)
