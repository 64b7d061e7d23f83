"""The options of sb-query that say what is searched and what is reported."""

import click

from specbridge_tools.cli.options import group_option

_MODES = ("mass", "formula", "open")

_COMPARED = (
    click.option(
        "--index",
        multiple=True,
        metavar="FILE",
        help="Index of sb-build-index, or a folder of some; several count as one. Needed without --candidates.",
    ),
    click.option(
        "--candidates",
        metavar="FILE",
        help="Rank within given lists, TSV: query_id (or list_id: the spectra's field CANDIDATES) and smiles.",
    ),
    click.option(
        "--encoder", metavar="NAME[:OPTIONS]", help="Encoder of --candidates without --index.  [default: the model's]"
    ),
)

_OPTIONS = (
    click.option(
        "--mode",
        type=click.Choice(_MODES),
        default="mass",
        help="Compare with molecules of the mass, of the formula, or with all.",
    ),
    click.option(
        "--tolerance", default="10ppm", metavar="WIDTH", help="Of the neutral mass: in ppm or Da, e.g. 0.005Da."
    ),
    click.option(
        "--formula-column", default="formula", metavar="FIELD", help="Field of the spectra with their formula."
    ),
    click.option("--exact", is_flag=True, help="In mode open, compare with all molecules, without graph or IVF lists."),
    click.option(
        "--effort", type=click.IntRange(min=1), default=200, metavar="N", help="Candidates the graph search keeps."
    ),
    click.option("--probes", type=click.IntRange(min=1), default=32, metavar="N", help="IVF lists that are searched."),
    group_option,
    click.option(
        "--rerank",
        type=click.IntRange(min=0),
        metavar="N",
        help="Re-rank the first N candidates by what their fragments explain, 0 for none.  "
        "[default: 50 where the model has a ranker and SPECTRA have peaks]",
    ),
    click.option(
        "--top", type=click.IntRange(min=0), default=10, metavar="K", help="Candidates to write, 0 for all."
    ),
    click.option(
        "--min-probability",
        type=click.FloatRange(0, 1),
        metavar="P",
        help="Leave out candidates whose probability is below P.",
    ),
)  # fmt: skip


def compared_options(function):
    """Decorator: the options that say with which molecules spectra are compared."""
    for option in reversed(_COMPARED):
        function = option(function)
    return function


def check_compared(spectra, index, candidates, mode):
    """Refuse values of these options that make no sense together."""
    if [spectra, *index, candidates].count("-") > 1:
        raise click.UsageError("SPECTRA, --index and --candidates cannot both be stdin")
    if not index and candidates is None:
        raise click.UsageError("Missing option '--index' (or '--candidates').")
    if candidates is not None and mode != "mass":
        raise click.UsageError("--candidates says what is compared: --mode does not go with it")


def search_options(function):
    """Decorator: every option of what is searched and reported."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def typed_options(values):
    """Values of these options by name -> `SearchOptions`."""
    from specbridge_tools.search.candidates.tolerance import Tolerance
    from specbridge_tools.search.search import SearchOptions

    return SearchOptions(
        values["mode"],
        Tolerance.parse(values["tolerance"]),
        values["top"],
        values["exact"],
        values["formula_column"],
        values["effort"],
        values["probes"],
        values["min_probability"],
        values["group_by"],
    )
