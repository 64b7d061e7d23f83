"""sb-info: what a file is."""

import click

from specbridge_tools.cli.command import command

EXAMPLE = """
sb-info molecules.h5
sb-info index.h5 --json | jq .encoder
"""


@command("sb-info", example=EXAMPLE)
@click.argument("file", metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def main(file, as_json, quiet):
    """Say what FILE is: kind, format version, size, encoder, hashes, who made it.

    FILE, or - for stdin, holds embeddings, an index, a model, hits, spectra (MGF, MSP, mzML) or molecules (TSV, CSV,
    .smi, SDF), recognised by its content. Ends with status 1 where it is none of these, or broken.
    """
    import json

    from specbridge_tools.describe import describe, lines

    values = describe(file)
    click.echo(json.dumps(values, indent=2, ensure_ascii=False) if as_json else "\n".join(lines(values)))
