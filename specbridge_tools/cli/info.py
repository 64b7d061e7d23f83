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
    from specbridge_tools.streams import STDIO, output_text

    values = describe(file)
    text = json.dumps(values, indent=2, ensure_ascii=False) if output_format == "json" else "\n".join(lines(values))
    with output_text(STDIO) as stream:
        stream.write(text + "\n")
