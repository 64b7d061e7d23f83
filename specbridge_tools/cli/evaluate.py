"""sb-evaluate: how many spectra were identified."""

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import output_options, record_options, spectrum_format_option

EXAMPLE = """
sb-evaluate hits.tsv --truth spectra.mgf -o metrics.tsv --png metrics.png
sb-evaluate hits.tsv --truth spectra.mgf --table 20
sb-evaluate hits.tsv --truth spectra.mgf --audit molecules.tsv
"""


def _ranks(context, option, text):
    try:
        ranks = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError as error:
        raise click.BadParameter(f"{error}; give ranks such as 1,5,20") from error
    if min(ranks) < 1:
        raise click.BadParameter("ranks count from 1")
    return ranks


@command("sb-evaluate", example=EXAMPLE)
@click.argument("hits", metavar="HITS")
@click.option(
    "--truth", required=True, metavar="SPECTRA", help="The spectra that were searched, with SMILES, InChI or InChIKey."
)
@output_options(what="Metrics, one row each")
@click.option("--format", "output_format", type=click.Choice(("tsv", "json")), default="tsv", help="Of the metrics.")
@click.option(
    "--table", type=click.IntRange(min=0), metavar="N", help="Show who was identified, the first N queries, on stdout."
)
@click.option("--png", metavar="FILE", help="Draw the metrics, PNG; needs matplotlib.")
@click.option("--at", "ks", callback=_ranks, default="1,5,20", metavar="LIST", help="The k of recall at k.")
@click.option(
    "--group-by", metavar="FIELD", help="Queries are groups of spectra, named by this field of their metadata."
)
@click.option(
    "--audit",
    "audited",
    metavar="FILE",
    help="Test whether the spelling of SMILES in FILE gives truths away: what was given to sb-query --candidates, "
    "or the molecules of the index, for hits of --top 0.",
)
@click.option("--resamples", type=click.IntRange(min=1), default=2000, metavar="N", help="Bootstrap resamples.")
@click.option("--seed", type=int, default=0, help="Seed of the bootstrap.")
@record_options
@spectrum_format_option
def main(
    hits, truth, output, force, output_format, table, png, ks, group_by, audited, resamples, seed, rejects, strict,
    input_format, quiet,
):  # fmt: skip
    """Compare the HITS of sb-query with the true structures: recall at k and mean reciprocal rank.

    Means are over spectra and over molecules, with 95 % intervals bootstrapped over molecules; ties count at their
    expected rank. Beside them stand rankings of the same lists that know nothing of the spectrum. All by polarity,
    adduct and precursor m/z. With --table the metrics are written only where -o names a file.
    """
    if hits == "-" and truth == "-":
        raise click.UsageError("HITS and --truth cannot both be stdin")
    if audited == "-":
        raise click.UsageError("--audit cannot be stdin: it is read twice")
    from specbridge_tools.evaluation.audit import audit
    from specbridge_tools.evaluation.audit_lists import read_audit_lists
    from specbridge_tools.evaluation.candidates import read_lists
    from specbridge_tools.evaluation.evaluate import evaluate
    from specbridge_tools.evaluation.table import write_metrics
    from specbridge_tools.evaluation.truth import read_truths
    from specbridge_tools.hits.table import read_hits
    from specbridge_tools.records import open_tally
    from specbridge_tools.streams import STDIO, check_output, output_text
    from specbridge_tools.threads import available_threads

    for path in filter(None, (output, png)):
        check_output(path, force=force)
    with open_tally("spectra", rejects=rejects, strict=strict, force=force) as tally:
        truths = read_truths(truth, tally, input_format=input_format, group_by=group_by)
    numbers = {}
    lists = list(read_lists(read_hits(hits), truths, numbers=numbers))
    metrics = evaluate(lists, ks=ks, resamples=resamples, seed=seed)
    if audited is not None:
        audit_lists = read_audit_lists(audited, lists, list(numbers), threads=available_threads())
        metrics += audit(audit_lists, resamples=resamples, seed=seed)
        click.echo(f"audit: {metrics[-1].note}", err=True)
    if table is None or output != STDIO:
        with output_text(output, force=force) as stream:
            write_metrics(metrics, stream, output_format=output_format)
        tally.n_written = len(metrics)
    if table is not None:
        from specbridge_tools.report.table import write_identified

        with output_text(STDIO) as stream:
            write_identified(lists, metrics, stream, limit=table)
    if png:
        from specbridge_tools.report.plots import draw_metrics

        draw_metrics(metrics, png, force=force)
    closing_line(tally.summary(), quiet=quiet)
