"""sb-embed-mols: a file of molecules -> molecule embeddings."""

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import (
    batch_size_option,
    device_option,
    dtype_option,
    output_options,
    record_options,
    threads_option,
)
from specbridge_tools.cli.part_options import make_plan, part_options, say_done

EXAMPLE = """
sb-embed-mols molecules.tsv -o molecules.h5
zcat molecules.smi.gz | sb-embed-mols - --encoder morgan:bits=2048,dimension=256 -o - > molecules.h5
"""


@command("sb-embed-mols", example=EXAMPLE)
@click.argument("molecules", metavar="MOLECULES")
@output_options(what="Molecule embeddings, HDF5")
@click.option(
    "--encoder",
    default="default",
    metavar="NAME[:OPTIONS]",
    help="default (the one that ships), morgan[:radius=2,bits=4096,counts=false,dimension=512,seed=0], "
    "morgan:file=PATH, chemberta:PATH[,pooling=cls|mean], toy[:dimension=32].",
)
@dtype_option
@click.option(
    "--input-format",
    type=click.Choice(("auto", "tsv", "csv", "smi", "sdf")),
    default="auto",
    help="Format of the molecules; auto looks at the content, never at the name.",
)
@click.option(
    "--smiles-column", metavar="NAME", help="Column of a table with SMILES or InChI.  [default: found by its name]"
)
@batch_size_option
@device_option
@click.option("--allow-download", is_flag=True, help="Let chemberta fetch a model by its name on the Hugging Face hub.")
@part_options
@record_options
@threads_option
def main(
    molecules, output, force, encoder, dtype, input_format, smiles_column, batch_size, device, allow_download,
    shard, skip_existing, rejects, strict, threads, quiet,
):  # fmt: skip
    """Standardise molecules and encode them.

    MOLECULES is a table with a header (TSV or CSV; columns of SMILES or InChI, ids and names are found by their names),
    a .smi file or an SDF, plain or gzip, or -. Of each the largest organic fragment is kept, neutralised, without
    stereo and isotopes; a structure that comes again is merged with the first, and all ids are listed.
    """
    from specbridge_tools.embeddings.embed_molecules import embed_molecules
    from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
    from specbridge_tools.molecules.reader import count_molecules
    from specbridge_tools.progress import progress
    from specbridge_tools.provenance import sha256_text
    from specbridge_tools.records import open_tally
    from specbridge_tools.streams import check_output

    check_output(output, force=force or skip_existing)
    settings = {"device": device, "allow_download": allow_download, "batch_size": batch_size, "threads": threads}
    encoder = MOLECULE_ENCODERS.create(encoder, **settings)
    reading = {"input_format": input_format, "smiles_column": smiles_column}
    plan = make_plan(
        output,
        source="molecules",
        count=lambda: count_molecules(molecules, **reading),
        files=("molecules",),
        digests={"encoder": lambda: sha256_text(f"{encoder.name} {encoder.weights_sha256}")},
    )
    if plan.is_done:
        return say_done(output, quiet=quiet)
    with (
        open_tally("molecules", rejects=rejects, strict=strict, force=force) as tally,
        progress("molecules", quiet=quiet) as display,
    ):
        counts = embed_molecules(
            molecules,
            output,
            encoder=encoder,
            tally=tally,
            dtype=dtype,
            threads=threads,
            record_range=plan.record_range,
            part=plan.part,
            force=force,
            display=display,
            **reading,
        )
    return closing_line(f"{tally.summary()}; {counts.summary()}", quiet=quiet)
