"""sb-build-reference: spectra with structures -> reference spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import allow_empty_option, encoder_option, output_options, record_options
from specbridge_tools.cli.part_options import is_part, make_plan, part_options, say_done
from specbridge_tools.cli.reading_options import reading_options

if TYPE_CHECKING:
    from specbridge_tools.shards import Shard
    from specbridge_tools.spectra.reading import Reading

EXAMPLE = """
sb-build-reference standards.mgf -o standards.h5
zcat library.msp.gz | sb-build-reference - -o - > library.h5
sb-query spectra.mgf --index index.h5 --reference standards.h5 -o hits.tsv
"""


@command("sb-build-reference", example=EXAMPLE)
@click.argument("spectra", nargs=-1, required=True, metavar="SPECTRA...")
@output_options(what="Reference spectra, HDF5")
@encoder_option
@reading_options
@part_options
@record_options
@allow_empty_option
def main(
    spectra: tuple[str, ...], output: str, force: bool, encoder: str, reading: Reading, shard: Shard | None,
    skip_existing: bool, rejects: str | None, strict: bool, allow_empty: bool, quiet: bool,
) -> None:  # fmt: skip
    """Make a reference of measured spectra of known molecules, for sb-query --reference.

    SPECTRA are files of any --input-format, plain or gzip, or -, whose records name their structure as SMILES or InChI.
    Kept are the cleaned peaks, the ion, the molecule, and accession, licence, instrument and contributor of each. Left
    out and counted are spectra without a structure, those whose precursor m/z is more than 20 ppm from that of their
    structure and adduct, and those whose accession occurred before. A reference belongs to a molecular encoder, that of
    the model it is used with. The same input gives the same bytes, also by --shard and sb-merge.
    """
    if spectra.count("-") > 1:
        raise click.UsageError("only one input can be stdin")
    from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
    from specbridge_tools.progress import progress
    from specbridge_tools.provenance import sha256_file, sha256_text, sha256_values
    from specbridge_tools.records import open_tally
    from specbridge_tools.reference.build import build_reference
    from specbridge_tools.shards import require_file
    from specbridge_tools.spectra.reader import count_spectra

    if shard is not None or skip_existing:
        for path in spectra:
            require_file(path)
    made = MOLECULE_ENCODERS.create(encoder)
    plan = make_plan(
        output,
        source="spectra",
        source_path=spectra[0],
        count=lambda: sum(count_spectra(path, reading=reading) for path in spectra),
        files=(),
        digests={
            "spectra": lambda: sha256_values({str(i): sha256_file(path) for i, path in enumerate(spectra)}),
            "encoder": lambda: sha256_text(f"{made.name} {made.weights_sha256}"),
        },
    )
    if plan.is_done:
        say_done(output, quiet=quiet)
        return
    allow_empty |= is_part(shard)
    with (
        open_tally("spectra", rejects=rejects, strict=strict, force=force, allow_empty=allow_empty) as tally,
        progress("spectra", quiet=quiet) as display,
    ):
        n_molecules = build_reference(
            spectra, output, encoder=made, tally=tally, reading=reading, record_range=plan.record_range,
            part=plan.part, force=force, display=display,
        )  # fmt: skip
    closing_line(f"{tally.summary()}; {n_molecules} molecules", quiet=quiet)
