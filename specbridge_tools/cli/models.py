"""sb-models: the weights that we know."""

import click

from specbridge_tools.cli.command import command


@command("sb-models", example="sb-models\nsb-models --json | jq '.[] | select(.status == \"present\") | .path'")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def main(as_json, quiet):
    """List the known weights: what they are, where they come from, their licence, and whether they are here.

    The first are those that ship. Weights from elsewhere are looked for in $SPECBRIDGE_HOME, or else in the user's
    cache folder, under weights/NAME/. Nothing is downloaded. A table on a terminal, TSV in a pipe.
    """
    from specbridge_tools.encoders.weights import list_weights
    from specbridge_tools.report.weights_table import write_weights
    from specbridge_tools.streams import STDIO, output_text

    with output_text(STDIO) as stream:
        write_weights(list_weights(), stream, as_json=as_json)
