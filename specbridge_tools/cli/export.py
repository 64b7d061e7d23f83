"""sb-export: hits -> files of other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import format_option, group_option, output_options, record_options
from specbridge_tools.cli.reading_options import reading_options

if TYPE_CHECKING:
    from specbridge_tools.spectra.reading import Reading

FORMATS = ("mztab-m", "sirius", "maf", "mgf", "graphml", "tsv-edges")
_EVIDENCE = 10  # candidates that mzTab-M lists as evidence by default

EXAMPLE = """
sb-export hits.tsv --spectra spectra.mgf --format mztab-m -o hits.mztab
sb-query spectra.mgf --index index.h5 | sb-export - --format sirius -o structure_identifications.tsv
"""


@command("sb-export", example=EXAMPLE)
@click.argument("hits", metavar="HITS")
@click.option(
    "--spectra",
    metavar="FILE",
    help="The spectra that sb-query read: needed for mgf, and for the m/z of queries without a candidate.",
)
@format_option(FORMATS, what="Format of the output.")
@click.option(
    "--top",
    type=click.IntRange(min=0),
    metavar="K",
    help=f"Candidates of each query, 0 for all.  [default: 1; {_EVIDENCE} in mztab-m]",
)
@output_options(what="The export")
@group_option
@reading_options
@record_options
def main(
    hits: str, spectra: str | None, output_format: str, top: int | None, output: str, force: bool,
    group_by: str | None, reading: Reading, rejects: str | None, strict: bool, quiet: bool,
) -> None:  # fmt: skip
    """Write the HITS of sb-query or sb-rerank as other programs read them.

    mztab-m is the metabolomics standard mzTab-M 2.0; sirius the table structure_identifications.tsv of SIRIUS; maf the
    assignment file of MetaboLights; mgf the spectra with the best candidate as their annotation; graphml and tsv-edges
    a network of queries, candidates and reference spectra for Cytoscape.

    Each query gets a confidence level after Schymanski et al. (2014): 2a for a library match, 3 for tentative
    candidates, 4 for a formula, 5 for a mass alone. mztab-m and maf name a structure at 2a and 3 only, the others name
    the best candidates in any case, with their level. Queries that a format has no place for are counted as rejected.
    """
    if hits == "-" and spectra == "-":
        raise click.UsageError("HITS and --spectra cannot both be stdin")
    from specbridge_tools.export.export import export_hits
    from specbridge_tools.progress import progress
    from specbridge_tools.records import open_tally
    from specbridge_tools.streams import check_output, output_text

    check_output(output, force=force)
    if top is None:
        top = _EVIDENCE if output_format == "mztab-m" else 1
    with (
        open_tally("queries", rejects=rejects, strict=strict, force=force) as tally,
        output_text(output, force=force) as stream,
        progress("queries", quiet=quiet) as display,
    ):
        export_hits(
            hits, stream, output_format=output_format, spectra=spectra, top=top, group_by=group_by, reading=reading,
            tally=tally, display=display,
        )  # fmt: skip
    closing_line(tally.summary(), quiet=quiet)
