"""sb-models: the weights that we know, and those on this machine."""

import click

from specbridge_tools.cli.command import Group, closing_line, command, subcommand
from specbridge_tools.cli.options import force_option

json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


@command(
    "sb-models",
    example="""
sb-models
sb-models list --json | jq '.[] | select(.status == "present") | .path'
sb-models add dreams-ssl ~/Downloads/ssl_model.ckpt
sb-models convert ssl_model.ckpt ssl_model.safetensors
""",
    group=Group,
    invoke_without_command=True,
)
@json_option
@click.pass_context
def main(context, as_json, quiet):
    """The known weights: what they are, where they come from, their licence, and whether they are here.

    Without a further word, the list. The first are those that ship. Weights from elsewhere are looked for under
    weights/NAME/ in $SPECBRIDGE_HOME, or else in the user's cache folder, and then in the folders of
    $SPECBRIDGE_SHARED, joined by colons, which are only read. Nothing but `fetch` goes online. A table on a terminal,
    TSV in a pipe.
    """
    if context.invoked_subcommand is None:
        _list(as_json)


@subcommand(main, "list")
@json_option
def list_models(as_json):
    """List the known weights."""
    _list(as_json)


@subcommand(main, "convert")
@click.argument("source", metavar="IN.ckpt")
@click.argument("output", metavar="OUT.safetensors")
@force_option
def convert(source, output, force):
    """Turn a published DreaMS checkpoint into tensors and JSON; nothing that is pickled in it runs."""
    from specbridge_tools.encoders.spectral.dreams.weights import convert_dreams

    weights = convert_dreams(source, output, force=force)
    closing_line(f"{len(weights.tensors)} tensors written, {weights.digest()[:12]}", quiet=_quiet())


@subcommand(main, "add")
@click.argument("name")
@click.argument("source", metavar="FILE")
@force_option
def add(name, source, force):
    """Copy a file (or a folder in Hugging Face layout) into the store, checked where its hash is known."""
    from specbridge_tools.weights.store import add_weights

    found = add_weights(name, source, force=force)
    closing_line(f"{found.path}, SHA-256 {found.sha256}", quiet=_quiet())


@subcommand(main, "fetch")
@click.argument("name")
@force_option
def fetch(name, force):
    """Download weights into the store; a download that was broken off goes on where it ended."""
    from specbridge_tools.progress import progress
    from specbridge_tools.weights.fetch import fetch_weights

    with progress("fetching", quiet=_quiet()) as display:
        found = fetch_weights(name, force=force, display=display)
    closing_line(f"{found.path}, SHA-256 {found.sha256}", quiet=_quiet())


def _quiet():
    return click.get_current_context().parent.params["quiet"]


def _list(as_json):
    from specbridge_tools.report.weights_table import write_weights
    from specbridge_tools.streams import STDIO, output_text
    from specbridge_tools.weights.catalogue import list_weights

    with output_text(STDIO) as stream:
        write_weights(list_weights(), stream, as_json=as_json)
