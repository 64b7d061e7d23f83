"""sb-convert: a published benchmark -> spectra and candidate lists that the other commands read."""

from __future__ import annotations

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import force_option, record_options

EXAMPLE = """
sb-convert massspecgym MassSpecGym.tsv MassSpecGym_retrieval_candidates_mass.json -o massspecgym
sb-query massspecgym/test.mgf --candidates massspecgym/candidates.tsv --top 0 -o hits.tsv
"""


@command("sb-convert", example=EXAMPLE)
@click.argument("benchmark", metavar="BENCHMARK", type=click.Choice(("massspecgym",)))
@click.argument("spectra", metavar="SPECTRA")
@click.argument("candidates", metavar="[CANDIDATES]", required=False)
@click.option("-o", "--output", required=True, metavar="DIR", help="Folder for the files, made if it does not exist.")
@force_option
@record_options
def main(
    benchmark: str, spectra: str, candidates: str | None, output: str, force: bool, rejects: str | None, strict: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Convert the files of BENCHMARK, as they are published.

    massspecgym: SPECTRA is its TSV, CANDIDATES its JSON of candidate lists. DIR gets one MGF for each fold, and
    candidates.tsv for sb-query --candidates, with the structures spelled as published. A table of the MGFs goes to
    stdout.
    """
    if spectra == "-" and candidates == "-":
        raise click.UsageError("SPECTRA and CANDIDATES cannot both be stdin")
    from specbridge_tools.conversion.massspecgym import convert_massspecgym
    from specbridge_tools.records import open_tally
    from specbridge_tools.terminal import cell

    with open_tally("spectra", rejects=rejects, strict=strict, force=force) as tally:
        converted = convert_massspecgym(spectra, candidates, output, tally=tally, force=force)
    click.echo("fold\tfile\trecords")
    for fold, count in converted.folds.items():
        click.echo(f"{cell(fold)}\t{output.rstrip('/')}/{cell(fold)}.mgf\t{count}")
    closing_line(f"{tally.summary()}; {converted.summary()}", quiet=quiet)
