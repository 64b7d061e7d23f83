"""The options of sb-query that say what is searched and what is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from specbridge_tools.cli.options import Function, group_option, rerank_option, tolerance_option
from specbridge_tools.streams import STDIO

if TYPE_CHECKING:
    from specbridge_tools.hits.prior import Prior
    from specbridge_tools.search.search import SearchOptions

_MODES = ("mass", "formula", "open")

_COMPARED = (
    click.option(
        "--index",
        multiple=True,
        metavar="FILE",
        help="Index of sb-build-index, or a folder of them; several count as one.  [default: without --candidates the "
        "library of known molecules that ships, see sb-library]",
    ),
    click.option(
        "--candidates",
        metavar="FILE",
        help="Rank the given lists, TSV: query_id (or list_id: the spectra's field CANDIDATES) and smiles.",
    ),
    click.option(
        "--encoder",
        metavar="NAME[:OPTIONS]",
        help="Molecular encoder of --candidates, --reference, or of the library that ships.  [default: the model's]",
    ),
)


class _Prior(click.ParamType):
    """A column of counts and its weight, as `Prior.parse` reads them."""

    name = "prior"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Prior:
        from specbridge_tools.hits.prior import Prior

        return value if isinstance(value, Prior) else Prior.parse(value)


_OPTIONS = (
    click.option(
        "--mode",
        type=click.Choice(_MODES),
        default="mass",
        help="Compare with the molecules of the same mass, of the same formula, or with all.",
    ),
    tolerance_option(what="Largest deviation from the neutral mass"),
    click.option(
        "--formula-field",
        default="formula",
        metavar="FIELD",
        help="Field of the spectra's metadata that holds their formula.",
    ),
    click.option("--exact", is_flag=True, help="In mode open, compare with all molecules, without graph or IVF lists."),
    click.option(
        "--hnsw-ef",
        type=click.IntRange(min=1),
        default=200,
        metavar="N",
        help="Candidates that the search of the graph keeps.",
    ),
    click.option("--ivf-probes", type=click.IntRange(min=1), default=32, metavar="N", help="IVF lists to search."),
    click.option(
        "--isotopes",
        type=click.Choice(("mark", "drop")),
        default=None,
        help="Compare the isotope pattern of candidates with the MS1 peaks of SIRIUS .ms, MS-FINDER .mat, MZmine's "
        "MGF for SIRIUS, mzML or mzXML: say how badly it fits, or leave out what does not.  [default: neither]",
    ),
    group_option,
    rerank_option(
        default=None,
        help="Re-rank all candidates by what their fragments explain, or the first N by cosine, 0 for none; in "
        "mode open all are the first 200.  [default: all, if the model has a ranker and SPECTRA have peaks]",
    ),
    click.option(
        "--prior",
        type=_Prior(),
        default=None,
        metavar="COLUMN[:WEIGHT]",
        help="Add WEIGHT (else 1) times ln(1 + count) to the score: counts that sb-embed-mols --count carried along, "
        "or that --candidates hold. Probabilities do not know of it.  [default: no prior]",
    ),
    click.option("--top", type=click.IntRange(min=0), default=10, metavar="K", help="Candidates to write, 0 for all."),
    click.option(
        "--min-probability",
        type=click.FloatRange(0, 1),
        metavar="P",
        help="Leave out candidates whose probability is below P.",
    ),
    click.option(
        "--coverage",
        type=click.FloatRange(0, 1),
        metavar="C",
        help="In place of --top: as many candidates as hold the truth in a share C of cases, if it is listed.",
    ),
)


def compared_options(function: Function) -> Function:
    """Decorator: the options that say with which molecules spectra are compared."""
    for option in reversed(_COMPARED):
        function = option(function)
    return function


def check_compared(spectra: str, index: Sequence[str], candidates: str | None, mode: str) -> None:
    """Refuse values of these options that make no sense together."""
    if [spectra, *index, candidates].count("-") > 1:
        raise click.UsageError("only one of SPECTRA, --index and --candidates can be stdin")
    if candidates is not None and mode != "mass":
        raise click.UsageError("--candidates already says what to compare with: leave out --mode")


def shipped_index(
    model: str | None, encoder: str | None, *, device: str, batch_size: int, threads: int | None, quiet: bool
) -> tuple[str, ...]:
    """The index of the library that ships, for a model; built now where it was never used."""
    if model == STDIO:
        return ()  # can be read once: `identify` finds the index for it
    from specbridge_tools.library.store import Making, library_index

    return (str(library_index(model, making=Making(encoder, device, batch_size, threads, quiet))),)


def search_options(function: Function) -> Function:
    """Decorator: every option of what is searched and reported."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def typed_options(values: Mapping[str, Any]) -> SearchOptions:
    """The values of these options by name, as click parsed them, as `SearchOptions`."""
    from specbridge_tools.search.candidates.tolerance import Tolerance
    from specbridge_tools.search.search import SearchOptions

    return SearchOptions(
        mode=values["mode"],
        tolerance=Tolerance.parse(values["tolerance"]),
        top=values["top"],
        exact=values["exact"],
        formula_field=values["formula_field"],
        hnsw_ef=values["hnsw_ef"],
        ivf_probes=values["ivf_probes"],
        min_probability=values["min_probability"],
        coverage=values["coverage"],
        group_by=values["group_by"],
        isotopes=values["isotopes"],
    )
