"""sb-embed-mols: a file of molecules -> molecule embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import (
    batch_size_option,
    device_option,
    dtype_option,
    encoder_option,
    output_options,
    record_options,
    threads_option,
)
from specbridge_tools.cli.part_options import make_plan, part_options, say_done

if TYPE_CHECKING:
    from specbridge_tools.shards import Shard

MOLECULE_FORMATS = ("auto", "tsv", "csv", "smi", "sdf", "mgf", "msp", "massbank", "sirius", "json", "mzspeclib")
EXAMPLE = """
sb-embed-mols molecules.tsv -o molecules.h5
zcat molecules.smi.gz | sb-embed-mols - --encoder morgan:bits=2048,dimension=256 -o - > molecules.h5
"""


@command("sb-embed-mols", example=EXAMPLE)
@click.argument("molecules", metavar="MOLECULES")
@output_options(what="Molecule embeddings, HDF5")
@encoder_option
@dtype_option
@click.option(
    "--input-format",
    type=click.Choice(MOLECULE_FORMATS),
    default="auto",
    help="Format of the molecules; auto looks at the content, never at the name.",
)
@click.option(
    "--smiles-column",
    metavar="NAME",
    help="Column of a table that holds SMILES or InChI.  [default: found by its name]",
)
@click.option(
    "--count",
    "counts",
    multiple=True,
    default=(),
    metavar="COLUMN",
    help="Carry a column of a table along, numbers from 0 such as of patents or papers, for sb-query --prior; may be "
    "repeated.",
)
@batch_size_option
@device_option
@click.option(
    "--allow-download", is_flag=True, help="Let chemberta download a model by its name from the Hugging Face hub."
)
@part_options
@record_options
@threads_option
def main(
    molecules: str, output: str, force: bool, encoder: str, dtype: str, input_format: str, smiles_column: str | None,
    counts: tuple[str, ...], batch_size: int, device: str, allow_download: bool, shard: Shard | None,
    skip_existing: bool, rejects: str | None, strict: bool, threads: int | None, quiet: bool,
) -> None:  # fmt: skip
    """Standardise molecules and encode them.

    MOLECULES is a table with a header (TSV or CSV; the columns of SMILES or InChI, ids and names are found by their
    names), a .smi file, an SDF, or a library of spectra that names structures, plain or gzip, or -. The largest organic
    fragment of each molecule is kept, neutralised, without stereochemistry and isotopes; a structure that occurs again
    is merged with the first, and all ids are listed.
    """
    from specbridge_tools.embeddings.embed_molecules import embed_molecules
    from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
    from specbridge_tools.molecules.reader import count_molecules
    from specbridge_tools.progress import progress
    from specbridge_tools.provenance import sha256_text
    from specbridge_tools.records import open_tally
    from specbridge_tools.spectra.library_molecules import read_library_molecules
    from specbridge_tools.streams import check_output

    check_output(output, force=force or skip_existing)
    molecule_encoder = MOLECULE_ENCODERS.create(
        encoder, device=device, allow_download=allow_download, batch_size=batch_size, threads=threads
    )
    plan = make_plan(
        output,
        source="molecules",
        count=lambda: count_molecules(
            molecules, input_format=input_format, smiles_column=smiles_column, library=read_library_molecules
        ),
        files=("molecules",),
        digests={"encoder": lambda: sha256_text(f"{molecule_encoder.name} {molecule_encoder.weights_sha256}")},
    )
    if plan.is_done:
        say_done(output, quiet=quiet)
        return
    with (
        open_tally("molecules", rejects=rejects, strict=strict, force=force) as tally,
        progress("molecules", quiet=quiet) as display,
    ):
        made = embed_molecules(
            molecules,
            output,
            encoder=molecule_encoder,
            tally=tally,
            dtype=dtype,
            threads=threads,
            record_range=plan.record_range,
            part=plan.part,
            force=force,
            display=display,
            input_format=input_format,
            smiles_column=smiles_column,
            counts=counts,
        )
    closing_line(f"{tally.summary()}; {made.summary()}", quiet=quiet)
