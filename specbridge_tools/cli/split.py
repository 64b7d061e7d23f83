"""sb-split: one file -> parts."""

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import force_option, record_options, spectrum_format_option

EXAMPLE = """
sb-split spectra.mgf --by structure --fractions 0.9,0.1 -o splits/massbank
sb-split spectra.mgf --parts 100 -o parts/spectra
"""


def _fractions(context, option, text):
    try:
        fractions = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{error}; give numbers such as 0.9,0.1") from error
    if len(fractions) < 2 or not all(0 < fraction < float("inf") for fraction in fractions):
        raise click.BadParameter("give two numbers or more, each above 0")
    return fractions


@command("sb-split", example=EXAMPLE)
@click.argument("input_file", metavar="FILE")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="PREFIX",
    help="Parts are named PREFIX.train.mgf, ...; DIR/ makes a folder.",
)
@force_option
@click.option(
    "--by",
    type=click.Choice(("structure", "scaffold", "molecule", "record")),
    default="structure",
    help="What stays together: clusters of similar molecules, molecules of one Bemis-Murcko scaffold, "
    "records of one molecule, or nothing.",
)
@click.option(
    "--fractions",
    callback=_fractions,
    default="0.9,0.1",
    metavar="LIST",
    help="Shares of the records in train, val (and test).",
)
@click.option(
    "--threshold",
    type=click.FloatRange(min=0, max=1, min_open=True),
    default=0.6,
    help="Tanimoto similarity that joins two molecules of --by structure (Morgan radius 2, 4096 bits).",
)
@click.option("--seed", type=int, default=0, help="Seed of the draw.")
@click.option(
    "--parts", "n_parts", type=click.IntRange(min=1), metavar="N", help="N parts of consecutive records instead."
)
@click.option(
    "--size", type=click.IntRange(min=1), metavar="N", help="Parts of N consecutive records, named 0001, 0002, ..."
)
@record_options
@spectrum_format_option
def main(
    input_file, output, force, by, fractions, threshold, seed, n_parts, size, rejects, strict, input_format, quiet
):
    """Split spectra (MGF, MSP, mzML) or a table of molecules (TSV, CSV, SMILES, SDF) into parts.

    Without --parts and --size: parts for training and validation, no group of molecules in two of them. Parts of
    spectra are MGF. A table of the parts goes to stdout.
    """
    if n_parts and size:
        raise click.UsageError("--parts and --size exclude each other")
    from specbridge_tools.parts.outputs import part_outputs
    from specbridge_tools.parts.part import parts_table
    from specbridge_tools.parts.records import open_records
    from specbridge_tools.parts.split import split_into_folds, split_into_ranges
    from specbridge_tools.records import open_tally

    with (
        open_records(input_file, input_format=input_format) as records,
        open_tally(records.noun, rejects=rejects, strict=strict, force=force) as tally,
        part_outputs(output, records.suffix, force=force) as outputs,
    ):
        if n_parts or size:
            parts = split_into_ranges(records, outputs, tally, n_parts=n_parts, size=size)
        else:
            parts = split_into_folds(
                records, outputs, tally, by=by, fractions=fractions, seed=seed, threshold=threshold
            )
    for line in parts_table(parts):
        click.echo(line)
    closing_line(tally.summary(), quiet=quiet)
