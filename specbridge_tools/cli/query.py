"""sb-query: spectra or their embeddings -> ranked candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import (
    allow_empty_option,
    batch_size_option,
    device_option,
    format_option,
    model_option,
    output_options,
    record_options,
    reference_options,
    threads_option,
)
from specbridge_tools.cli.part_options import is_part, make_plan, part_options, say_done
from specbridge_tools.cli.query_options import (
    check_compared,
    compared_options,
    search_options,
    shipped_index,
    typed_options,
)
from specbridge_tools.cli.reading_options import reading_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specbridge_tools.hits.prior import Prior
    from specbridge_tools.identification.references import References
    from specbridge_tools.records import Tally
    from specbridge_tools.shards import Shard
    from specbridge_tools.spectra.reading import Reading

EXAMPLE = """
sb-query spectra.mgf -o hits.tsv
sb-query spectra.mgf --index index.h5 -o hits.tsv
zcat spectra.mgf.gz | sb-query - --index index.h5 --tolerance 5ppm --top 1 -o - | head
sb-query spectra.mgf --candidates lists.tsv --top 0 -o hits.tsv
"""


@command("sb-query", example=EXAMPLE)
@click.argument("spectra", metavar="SPECTRA")
@compared_options
@model_option
@output_options(what="Hits, a row for each candidate")
@search_options
@reference_options
@format_option()
@reading_options
@part_options
@record_options
@allow_empty_option
@batch_size_option
@device_option
@threads_option
def main(
    spectra: str, index: tuple[str, ...], candidates: str | None, encoder: str | None, model: str | None, output: str,
    force: bool, output_format: str, reading: Reading, shard: Shard | None, skip_existing: bool, rejects: str | None,
    strict: bool, allow_empty: bool, batch_size: int, device: str, threads: int | None, quiet: bool,
    references: References, **search: Any,
) -> None:  # fmt: skip
    """Rank molecules for each of SPECTRA, a file of any --input-format or of sb-embed-spectra: those of the index.

    Without --index and --candidates these are the known molecules that ship; the first use builds their index, once.

    Every record is answered, in the order of the file: with candidates by descending score, or with one row that says
    why there is none. The score is the cosine, or with --rerank that of sb-rerank, whose columns are then added. Equal
    scores share a rank and are listed in the order of their InChIKeys. For a spectrum without an adduct each of the
    usual ones is tried, and the one behind a candidate is named. Embeddings need no --model, but have probabilities
    only with it. With --candidates neither mass nor formula selects: each list is ranked as a whole. On a terminal a
    short table of the best hits follows.
    """
    check_compared(spectra, index, candidates, search["mode"])
    if not index and candidates is None:
        index = shipped_index(model, encoder, device=device, batch_size=batch_size, threads=threads, quiet=quiet)
    from specbridge_tools.hits.table import HitWriter, write_hits
    from specbridge_tools.identification.identify import identify
    from specbridge_tools.identification.sources import index_files
    from specbridge_tools.progress import progress
    from specbridge_tools.records import open_tally
    from specbridge_tools.report.best_hits import best_hits
    from specbridge_tools.search.index.reader import digest_of_indexes
    from specbridge_tools.search.queries.reader import count_queries
    from specbridge_tools.streams import display_name, output_text

    plan = make_plan(
        output,
        source="spectra",
        count=lambda: count_queries(spectra, reading=reading),
        files=("spectra", "model", "candidates"),
        digests={"index": lambda: digest_of_indexes(index_files(index))} if index else {},
    )
    if plan.is_done:
        return say_done(output, quiet=quiet)
    allow_empty |= is_part(shard)
    best = best_hits(output, quiet=quiet)
    with (
        output_text(output, force=force) as stream,
        open_tally("spectra", rejects=rejects, strict=strict, force=force, allow_empty=allow_empty) as tally,
        progress("spectra", quiet=quiet) as display,
        identify(
            spectra,
            index=index or None,
            candidates=candidates,
            model=model,
            encoder=encoder,
            options=typed_options(search),
            references=references,
            rerank_first=search["rerank"],
            prior=search["prior"],
            reading=reading,
            record_range=plan.record_range,
            tally=tally,
            batch_size=batch_size,
            device=device,
            threads=threads,
            display=display,
        ) as hits,
    ):
        writer = HitWriter(stream, output_format=output_format, columns=hits.columns, part=plan.part)
        n_empty = write_hits(best.noted(hits), writer, tally=tally, display=display)
        tally.require_usable(display_name(spectra))
        closing = f"{tally.summary()}, {n_empty} without a candidate"
    best.show()
    return closing_line("; ".join(_summaries(hits.listed, closing, search["prior"])), quiet=quiet)


def _summaries(listed: Tally | None, closing: str, prior: Prior | None) -> Iterator[str]:
    if listed is not None:
        yield listed.summary()
    yield closing
    if prior is not None:
        yield f"scores with the prior {prior}"
