"""Figures as PNG; matplotlib is an extra, and is imported only when a figure is asked for."""

from specbridge_tools.errors import UsageError
from specbridge_tools.streams import output_path

DOTS_PER_INCH = 150


def new_figure(*, width, height):
    """An empty matplotlib figure, width and height in inches. Raises `UsageError` where matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError(
            "pictures need matplotlib, which is not installed", advice="pip install 'specbridge_tools[plot]'"
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def save_png(figure, destination, *, force=False):
    """Write a figure to a path or `-`; the same figure gives the same bytes."""
    with output_path(destination, force=force) as temporary:
        figure.savefig(temporary, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
