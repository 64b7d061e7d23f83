"""Re-ranked hits and explained peaks as tables."""

import csv

from specbridge_tools.fragmentation.network.explain import FIELDS, explain
from specbridge_tools.hits.hits import COLUMNS, HitWriter, read_hits
from specbridge_tools.hits.with_spectra import with_groups, with_spectra
from specbridge_tools.identify.rerank import output_columns, rerank
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.spectrum import Spectrum

EXPLAINED_COLUMNS = ("query_id", "rank", "inchikey14", "smiles", "spectrum", *FIELDS)


def rerank_table(
    hits,
    spectra,
    stream,
    ranker,
    *,
    top=50,
    threads=1,
    group_by=None,
    input_format="auto",
    output_format="tsv",
    explained=None,
    explain_top=5,
    tally,
    display,
    record_range=None,
    part=None,
):
    """Read a hits table and its spectra (path, `-` or binary file each), write the re-ranked table to `stream`.

    group_by     field of the spectra's metadata that names the groups which the queries are, or None; then `spectra`
                 is a file that can be read twice
    explained    open text file for the explained peaks of the first `explain_top` candidates of each query, or None
    tally        `Tally` of the queries; display: progress
    record_range       `shards.RecordRange` of the queries to take, None for all; part: see `HitWriter`
    Other arguments as in `rerank.rerank`.
    """
    taken = read_hits(hits) if record_range is None else record_range.filter(read_hits(hits))
    counted = (one for one in taken if tally.count(one))
    if group_by is None:
        known = (record for record in read_spectra(spectra, input_format=input_format) if isinstance(record, Spectrum))
        answers = with_spectra(counted, known)
    else:
        answers = with_groups(counted, spectra, group_by, input_format=input_format)
    rows = None if explained is None else csv.writer(explained, delimiter="\t", lineterminator="\n")
    if rows is not None:
        rows.writerow(EXPLAINED_COLUMNS)
    writer = None
    for query in rerank(answers, ranker, top=top, threads=threads):
        if writer is None:
            writer = HitWriter(stream, output_format=output_format, columns=query.hits.columns, part=part)
        writer.write(query.hits)
        if rows is not None:
            rows.writerows(_explained_rows(query, ranker, explain_top))
        tally.n_written += 1
        display.advance()
    if writer is None:
        HitWriter(stream, output_format=output_format, columns=output_columns(COLUMNS), part=part)


def _explained_rows(query, ranker, top):
    hits = query.hits
    for row in range(min(top, hits.n_rows)):
        value = dict(zip(hits.columns, hits.rows[row], strict=True))
        if not value["fragment_score"]:
            continue
        named = (hits.query_id, value["rank"], value["inchikey14"], value["smiles"])
        for peaks in query.peaks[value["adduct"]]:
            for one in explain(ranker, value["smiles"], peaks):
                yield (*named, peaks.spectrum_id, *(_text(getattr(one, field)) for field in FIELDS))


def _text(value):
    return f"{value:.7g}" if isinstance(value, float) else str(value)
