"""sb-split: one file -> parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import (
    force_option,
    record_options,
    seed_option,
    threads_option,
)
from specbridge_tools.cli.reading_options import reading_options

if TYPE_CHECKING:
    from specbridge_tools.spectra.reading import Reading

EXAMPLE = """
sb-split spectra.mgf --by structure --fractions 0.9,0.1 -o splits/massbank
sb-split spectra.mgf --parts 100 -o parts/spectra
"""


def _fractions(context: click.Context, option: click.Parameter, text: str) -> tuple[float, ...]:
    try:
        fractions = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{error}; give numbers such as 0.9,0.1") from error
    if len(fractions) < 2 or not all(0 < fraction < float("inf") for fraction in fractions):
        raise click.BadParameter("give two or more numbers, each above 0")
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
    help="Shares of the records in train and val (and test).",
)
@click.option(
    "--threshold",
    type=click.FloatRange(min=0, max=1, min_open=True),
    default=0.6,
    metavar="T",
    help="Tanimoto similarity that joins two molecules with --by structure (Morgan radius 2, 4096 bits).",
)
@seed_option(what="the draw")
@click.option(
    "--parts",
    "n_parts",
    type=click.IntRange(min=1),
    metavar="N",
    help="N parts of consecutive records instead, named 0001, 0002, ...",
)
@click.option(
    "--size", type=click.IntRange(min=1), metavar="N", help="Parts of N consecutive records instead, named likewise."
)
@record_options
@reading_options
@threads_option
def main(
    input_file: str, output: str, force: bool, by: str, fractions: tuple[float, ...], threshold: float, seed: int,
    n_parts: int | None, size: int | None, rejects: str | None, strict: bool, reading: Reading,
    threads: int | None, quiet: bool,
) -> None:  # fmt: skip
    """Split spectra (of any --input-format) or a table of molecules (TSV, CSV, SMILES, SDF) into parts.

    Without --parts and --size: parts for training and validation that share no group of molecules. Parts of spectra
    are MGF. A table of the parts goes to stdout.
    """
    if n_parts and size:
        raise click.UsageError("--parts and --size exclude each other")
    from specbridge_tools.parts.outputs import part_outputs
    from specbridge_tools.parts.records import open_records
    from specbridge_tools.parts.split import parts_table, split_into_folds, split_into_ranges
    from specbridge_tools.records import open_tally

    with (
        open_records(input_file, reading=reading, threads=threads) as records,
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
