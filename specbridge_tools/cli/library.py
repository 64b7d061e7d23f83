"""sb-library: the known molecules that ship, and the index that is built of them."""

from __future__ import annotations

import click

from specbridge_tools.cli.command import closing_line, group, group_is_quiet, subcommand
from specbridge_tools.cli.options import (
    batch_size_option,
    device_option,
    force_option,
    format_option,
    model_option,
    output_options,
    threads_option,
)

EXAMPLE = """
sb-library
sb-library build
SPECBRIDGE_HOME=/shared/specbridge sb-library build   # for all who have it in SPECBRIDGE_SHARED
sb-library export -o library.tsv
"""
_list_format = format_option(("auto", "json"), what="auto: a table on a terminal, TSV in a pipe.")
_encoder_option = click.option(
    "--encoder", metavar="NAME[:OPTIONS]", help="Molecular encoder.  [default: the model's]"
)  # fmt: skip


@group("sb-library", example=EXAMPLE)
@_list_format
@click.pass_context
def main(context: click.Context, output_format: str, quiet: bool) -> None:
    """List the library of known molecules that ships, and the indexes built of it on this machine.

    sb-query without --index searches it. Its index is built at the first use, under library/ in $SPECBRIDGE_HOME, or
    else in the user's cache folder; the folders of $SPECBRIDGE_SHARED, joined by colons, are looked at first and only
    read. The index of a model with another molecular encoder is another file.
    """
    if context.invoked_subcommand is None:
        _list(output_format)


@subcommand(main, "list", example="sb-library list\nsb-library list --format json | jq '.[].path'")
@_list_format
def list_files(output_format: str) -> None:
    """List what there is: molecules, licence, size, place, and for which encoder an index was built."""
    _list(output_format)


@subcommand(main, "build", example="sb-library build\nsb-library build --model my_model.safetensors -o library.h5")
@click.option("-o", "--output", metavar="FILE", help="Index to write; - is stdout.  [default: its place in the store]")
@force_option
@model_option
@_encoder_option
@batch_size_option
@device_option
@threads_option
def build(
    output: str | None, force: bool, model: str | None, encoder: str | None, batch_size: int, device: str,
    threads: int | None,
) -> None:  # fmt: skip
    """Build the index ahead of the first use: into the store, unless it is there already, or into a file."""
    from specbridge_tools.library.store import Making, build_ahead

    making = Making(encoder, device, batch_size, threads, quiet=group_is_quiet())
    path, n_molecules = build_ahead(output, model, making=making, force=force)
    closing_line(f"{n_molecules} molecules in {path}", quiet=group_is_quiet())


@subcommand(main, "path", example='sb-library path\nsb-info "$(sb-library path)"')
@model_option
def path(model: str | None) -> None:
    """Print the path of the index; where there is none, that ends with status 1."""
    from specbridge_tools.library.store import require_library

    click.echo(require_library(model))


@subcommand(main, "export", example="sb-library export | cut -f 2,5,6 | head\nsb-library export -o library.tsv")
@output_options(what="Table, TSV: inchikey14, smiles, formula, exact_mass (Da), name, id, sources")
def export(output: str, force: bool) -> None:
    """Write the molecules as a table, by ascending mass; its licence is that of the library."""
    from specbridge_tools.library.export import export_table
    from specbridge_tools.library.packed import read_columns
    from specbridge_tools.library.store import library_facts
    from specbridge_tools.streams import output_text

    facts = library_facts()
    with output_text(output, force=force) as stream:
        export_table(read_columns(facts), stream)
    closing_line(f"{facts.n_molecules} molecules written, licence {facts.licence}", quiet=group_is_quiet())


def _list(output_format: str) -> None:
    from specbridge_tools.library.listing import list_library
    from specbridge_tools.report.library_table import write_library_files
    from specbridge_tools.streams import STDIO, output_text

    with output_text(STDIO, styled=True) as stream:
        write_library_files(list_library(), stream, as_json=output_format == "json")
