"""sb-info: what a file is."""

from __future__ import annotations

import click

from specbridge_tools.cli.command import command
from specbridge_tools.cli.options import format_option

EXAMPLE = """
sb-info molecules.h5
sb-info index.h5 --format json | jq .encoder
"""


@command("sb-info", example=EXAMPLE)
@click.argument("file", metavar="FILE")
@format_option(("tsv", "json"), what="Lines of name and value, or one JSON object.")
def main(file: str, output_format: str, quiet: bool) -> None:
    """Say what FILE is: kind, format version, size, encoder, hashes, who made it.

    FILE, or - for stdin, holds embeddings, an index, a model, hits, spectra or molecules of any format that the other
    commands read, recognised by its content. Ends with status 1 if it is none of these, or broken.
    """
    import json

    from specbridge_tools.describe import describe, lines

    values = describe(file)
    as_json = output_format == "json"
    click.echo(json.dumps(values, indent=2, ensure_ascii=False) if as_json else "\n".join(lines(values)))
