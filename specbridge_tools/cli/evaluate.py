"""sb-evaluate: how many spectra were identified."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from specbridge_tools.cli.command import closing_line, command, say
from specbridge_tools.cli.options import (
    format_option,
    group_option,
    output_options,
    plot_option,
    record_options,
    reference_options,
    seed_option,
    threads_option,
    truth_option,
)
from specbridge_tools.cli.reading_options import reading_options

if TYPE_CHECKING:
    from specbridge_tools.identification.references import References
    from specbridge_tools.spectra.reading import Reading

EXAMPLE = """
sb-evaluate hits.tsv --truth spectra.mgf -o metrics.tsv --plot metrics.png
sb-evaluate hits.tsv --truth spectra.mgf --show 20
sb-evaluate hits.tsv --truth spectra.mgf --audit molecules.tsv
"""


def _ranks(context: click.Context, option: click.Parameter, text: str) -> tuple[int, ...]:
    try:
        ranks = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError as error:
        raise click.BadParameter(f"{error}; give ranks such as 1,5,20") from error
    if min(ranks) < 1:
        raise click.BadParameter("ranks start at 1")
    return ranks


@command("sb-evaluate", example=EXAMPLE)
@click.argument("hits", metavar="HITS")
@truth_option(required=True)
@output_options(what="Metrics, one row each")
@format_option(("tsv", "json"), what="Format of the metrics.")
@click.option(
    "--show", type=click.IntRange(min=0), metavar="N", help="Print the best hits of the first N queries on stdout."
)
@plot_option(what="the metrics")
@click.option(
    "--recall-at", "ks", callback=_ranks, default="1,5,20", metavar="LIST", help="The ranks k of recall at k."
)
@group_option
@reference_options
@click.option(
    "--audit",
    "audited",
    metavar="FILE",
    help="Test whether the spelling of the SMILES in FILE gives true structures away. FILE is what sb-query "
    "--candidates read, or the molecules of the index for hits of --top 0.",
)
@click.option(
    "--with-prior",
    is_flag=True,
    help="Take hits of sb-query --prior, which are refused otherwise: their figures are not those of spectra "
    "alone, and every metric says so.",
)
@click.option("--resamples", type=click.IntRange(min=1), default=2000, metavar="N", help="Bootstrap resamples.")
@seed_option(what="the bootstrap")
@record_options
@reading_options
@threads_option
def main(
    hits: str, truth: str, output: str, force: bool, output_format: str, show: int | None, plot: str | None,
    ks: tuple[int, ...], group_by: str | None, audited: str | None, with_prior: bool, resamples: int, seed: int,
    rejects: str | None, strict: bool, reading: Reading, references: References, threads: int | None, quiet: bool,
) -> None:  # fmt: skip
    """Compare the HITS of sb-query with the true structures: recall at k and mean reciprocal rank.

    Means are taken over spectra and over molecules, with 95 % intervals bootstrapped over molecules; ties count at
    their expected rank. Rankings of the same lists that know nothing of the spectrum are reported beside them, and that
    by cosine alone where hits are ranked by more; all of it by polarity, adduct, precursor m/z, and what references
    have of the true molecule: this ion, another of the same polarity, one of the other polarity, or none. With --show,
    the metrics are written only if -o names a file.
    """
    if hits == "-" and truth == "-":
        raise click.UsageError("HITS and --truth cannot both be stdin")
    if audited == "-":
        raise click.UsageError("--audit cannot read stdin, because it reads the file twice")
    from specbridge_tools.threads import available_threads

    threads = threads or available_threads()
    from specbridge_tools.evaluation.candidates import read_lists
    from specbridge_tools.evaluation.evaluate import evaluate
    from specbridge_tools.evaluation.priors import Priors
    from specbridge_tools.evaluation.table import write_metrics
    from specbridge_tools.evaluation.truth import read_truths
    from specbridge_tools.hits.table import read_hits
    from specbridge_tools.identification.references import measured_ions
    from specbridge_tools.records import open_tally
    from specbridge_tools.streams import STDIO, check_output, display_name, output_text

    for path in filter(None, (output, plot)):
        check_output(path, force=force)
    with open_tally("spectra", rejects=rejects, strict=strict, force=force) as tally:
        truths = read_truths(truth, tally, reading=reading, group_by=group_by, measured=measured_ions(references))
    numbers: dict[str, int] = {}
    priors = Priors(display_name(hits), allowed=with_prior)
    lists = list(read_lists(priors.noted(read_hits(hits)), truths, numbers=numbers))
    metrics = priors.named(evaluate(lists, ks=ks, resamples=resamples, seed=seed))
    if audited is not None:
        # here, as a command that audits nothing would take a third longer
        from specbridge_tools.evaluation.audit import audit
        from specbridge_tools.evaluation.audit_lists import read_audit_lists

        audit_lists = read_audit_lists(audited, lists, list(numbers), threads=threads)
        metrics += audit(audit_lists, resamples=resamples, seed=seed)
        say(f"audit: {metrics[-1].note}")
    if show is None or output != STDIO:
        with output_text(output, force=force) as stream:
            write_metrics(metrics, stream, output_format=output_format)
        tally.n_written = len(metrics)
    if show is not None:
        from specbridge_tools.report.table import write_identified

        with output_text(STDIO, styled=True) as stream:
            write_identified(lists, metrics, stream, limit=show)
    if plot:
        from specbridge_tools.report.plots import draw_metrics

        draw_metrics(metrics, plot, force=force)
    closing_line(tally.summary(), quiet=quiet)
