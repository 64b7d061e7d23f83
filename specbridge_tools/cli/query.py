"""sb-query: spectra or their embeddings -> ranked candidates."""

from __future__ import annotations

import contextlib
import os

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import (
    batch_size_option,
    device_option,
    format_option,
    model_option,
    output_options,
    record_options,
    spectrum_format_option,
    threads_option,
)
from specbridge_tools.cli.part_options import make_plan, part_options, say_done
from specbridge_tools.cli.query_options import check_compared, compared_options, search_options, typed_options

EXAMPLE = """
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
@format_option()
@spectrum_format_option
@part_options
@record_options
@batch_size_option
@device_option
@threads_option
def main(
    spectra, index, candidates, encoder, model, output, force, output_format, input_format, shard, skip_existing,
    rejects, strict, batch_size, device, threads, quiet, **search,
):  # fmt: skip
    """Rank the molecules of the index for each of SPECTRA: MGF, MSP, mzML, or embeddings of sb-embed-spectra.

    Every record is answered, in the order of the file: with candidates by descending score, or with one row that says
    why there is none. The score is the cosine, or with --rerank that of sb-rerank, whose columns are then added. Equal
    scores share a rank and are listed in the order of their InChIKeys. For a spectrum without an adduct each of the
    usual ones is tried, and the one behind a candidate is named. Embeddings need no --model, but have probabilities
    only with it. With --candidates neither mass nor formula selects: each list is ranked as a whole.
    """
    check_compared(spectra, index, candidates, search["mode"])
    from specbridge_tools.threads import available_threads

    threads = threads or available_threads()
    os.environ["OPENBLAS_NUM_THREADS"] = str(threads)  # numpy reads it when it is imported, below
    from specbridge_tools.identify.default_model import model_for_spectra
    from specbridge_tools.identify.identify import query_hits, reranking
    from specbridge_tools.identify.sources import index_files, open_molecules
    from specbridge_tools.progress import progress
    from specbridge_tools.records import open_tally
    from specbridge_tools.search.candidates.list_file import wanted_lists
    from specbridge_tools.search.index.reader import digest_of_indexes
    from specbridge_tools.search.queries.reader import count_queries
    from specbridge_tools.search.search import write_hits
    from specbridge_tools.streams import STDIO, open_input, output_text, rewindable, seekable_input

    plan = make_plan(
        output,
        source="spectra",
        count=lambda: count_queries(spectra, input_format=input_format),
        files=("spectra", "model", "candidates"),
        digests={"index": lambda: digest_of_indexes(index_files(index))} if index else {},
    )
    if plan.is_done:
        return say_done(output, quiet=quiet)
    options = typed_options(search)
    twice = candidates is not None or options.group_by is not None
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(output_text(output, force=force))
        tally = stack.enter_context(open_tally("spectra", rejects=rejects, strict=strict, force=force))
        source = stack.enter_context(rewindable(spectra) if twice else open_input(spectra))
        path = stack.enter_context(seekable_input(model)) if model == STDIO else model  # it is read twice
        model = model_for_spectra(source, source=path, needed=not index, device=device, threads=threads)
        reranked = reranking(source, model=path, top=search["rerank"])
        listed = tally.beside("candidate structures")
        wanted = wanted_lists(source, group_by=options.group_field, input_format=input_format)
        settings = {"encoder": encoder, "device": device, "batch_size": batch_size, "threads": threads}
        opened, lists = stack.enter_context(
            open_molecules(index or None, candidates, wanted=wanted, model=model, tally=listed, **settings)
        )
        display = stack.enter_context(progress("spectra", quiet=quiet))
        settings = {"input_format": input_format, "batch_size": batch_size, "threads": threads}
        settings |= {
            "model": model,
            "lists": lists,
            "options": options,
            "tally": tally,
            "record_range": plan.record_range,
        }
        columns, hits = query_hits(source, index=opened, reranking=reranked, **settings)
        settings = {"columns": columns, "output_format": output_format, "part": plan.part}
        n_empty = write_hits(hits, stream, tally=tally, display=display, **settings)
    closing = f"{tally.summary()}, {n_empty} without a candidate"
    return closing_line(closing if lists is None else f"{listed.summary()}; {closing}", quiet=quiet)
