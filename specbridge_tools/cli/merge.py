"""sb-merge: parts -> the whole."""

from __future__ import annotations

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import output_options, record_options


@command("sb-merge", example="sb-merge hits.*.tsv -o hits.tsv\nsb-merge molecules.*.h5 -o molecules.h5")
@click.argument("parts", metavar="PART...", nargs=-1, required=True)
@output_options(what="The whole")
@record_options
def main(parts: tuple[str, ...], output: str, force: bool, rejects: str | None, strict: bool, quiet: bool) -> None:
    """Merge parts of one kind, in the order given: hits, spectra, molecules, embeddings, indexes or references.

    The content says what they hold. Parts with different kinds, columns, encoders or models end in status 3. Molecules
    that occur in several embeddings or indexes are kept once, as are accessions of several references.
    """
    from specbridge_tools.parts.merge import merge_parts
    from specbridge_tools.records import open_tally
    from specbridge_tools.streams import check_output

    check_output(output, force=force)
    with open_tally("records", rejects=rejects, strict=strict, force=force) as tally:
        kind = merge_parts(parts, output, tally, force=force)
    closing_line(f"{len(parts)} parts of {kind}: {tally.summary()}", quiet=quiet)
