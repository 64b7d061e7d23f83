"""sb-models: the weights that we know, and those on this machine."""

from __future__ import annotations

import click

from specbridge_tools.cli.command import closing_line, group, group_is_quiet, subcommand
from specbridge_tools.cli.options import force_option, format_option

EXAMPLE = """
sb-models
sb-models list --format json | jq '.[] | select(.status == "present") | .path'
sb-models add dreams-ssl ~/Downloads/ssl_model.ckpt
sb-models import ssl_model.ckpt ssl_model.safetensors
"""
_list_format = format_option(("auto", "json"), what="auto: a table on a terminal, TSV in a pipe.")


@group("sb-models", example=EXAMPLE)
@_list_format
@click.pass_context
def main(context: click.Context, output_format: str, quiet: bool) -> None:
    """List the known weights: what they are, where they come from, their licence, and whether they are here.

    The first are those that ship. Weights from elsewhere are looked for under weights/NAME/ in $SPECBRIDGE_HOME, or
    else in the user's cache folder, and then in the folders of $SPECBRIDGE_SHARED, joined by colons, which are only
    read. Nothing but `fetch` goes online.
    """
    if context.invoked_subcommand is None:
        _list(output_format)


@subcommand(main, "list", example="sb-models list\nsb-models list --format json | jq '.[].name'")
@_list_format
def list_models(output_format: str) -> None:
    """List the known weights."""
    _list(output_format)


@subcommand(main, "import", example="sb-models import ssl_model.ckpt ssl_model.safetensors")
@click.argument("source", metavar="IN.ckpt")
@click.argument("output", metavar="OUT.safetensors")
@force_option
def import_weights(source: str, output: str, force: bool) -> None:
    """Turn a published DreaMS checkpoint into tensors and JSON; nothing that is pickled in it runs."""
    from specbridge_tools.encoders.spectral.dreams.weights import convert_dreams

    weights = convert_dreams(source, output, force=force)
    closing_line(f"{len(weights.tensors)} tensors written, {weights.digest()[:12]}", quiet=group_is_quiet())


@subcommand(main, "add", example="sb-models add dreams-ssl ~/Downloads/ssl_model.ckpt")
@click.argument("name")
@click.argument("source", metavar="FILE")
@force_option
def add(name: str, source: str, force: bool) -> None:
    """Copy a file (or a folder in Hugging Face layout) into the store; its hash is checked where it is known."""
    from specbridge_tools.weights.store import add_weights

    stored = add_weights(name, source, force=force)
    closing_line(f"{stored.path}, SHA-256 {stored.sha256}", quiet=group_is_quiet())


@subcommand(main, "fetch", example="sb-models fetch dreams-ssl")
@click.argument("name")
@force_option
def fetch(name: str, force: bool) -> None:
    """Download weights into the store; an interrupted download goes on where it stopped."""
    from specbridge_tools.progress import progress
    from specbridge_tools.weights.fetch import fetch_weights

    with progress("fetching", quiet=group_is_quiet()) as display:
        fetched = fetch_weights(name, force=force, display=display)
    closing_line(f"{fetched.path}, SHA-256 {fetched.sha256}", quiet=group_is_quiet())


def _list(output_format: str) -> None:
    from specbridge_tools.report.weights_table import write_weights
    from specbridge_tools.streams import STDIO, output_text
    from specbridge_tools.weights.catalogue import list_weights

    with output_text(STDIO, styled=True) as stream:
        write_weights(list_weights(), stream, as_json=output_format == "json")
