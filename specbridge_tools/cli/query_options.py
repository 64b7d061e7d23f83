"""The options of sb-query that say what is searched and what is reported."""

import click

from specbridge_tools.cli.options import group_option

_MODES = ("mass", "formula", "open")

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
    click.option("--exact", is_flag=True, help="In mode open, compare with every molecule instead of using the graph."),
    click.option(
        "--effort", type=click.IntRange(min=1), default=200, metavar="N", help="Candidates the graph search keeps."
    ),
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


def search_options(function):
    """Decorator: every option of what is searched and reported."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def typed_options(values):
    """Values of these options by name -> `SearchOptions`."""
    from specbridge_tools.search.query import SearchOptions
    from specbridge_tools.search.tolerance import Tolerance

    return SearchOptions(
        values["mode"],
        Tolerance.parse(values["tolerance"]),
        values["top"],
        values["exact"],
        values["formula_column"],
        values["effort"],
        values["min_probability"],
        values["group_by"],
    )
