"""Plots as PNG: the metrics of an evaluation, the learning curve of a training.

matplotlib is an extra, and is imported only when a plot is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import UsageError
from specbridge_tools.evaluation.evaluate import Metric
from specbridge_tools.streams import output_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 150
_EPOCH = "epoch"
_LABELS = {
    "score": "hits",
    "cosine": "cosine alone",
    "spectrum_blind": "spectrum-blind",
    "mass_only": "mass only",
    "random": "random",
}


def draw_metrics(metrics: Iterable[Metric], destination: str | os.PathLike[str], *, force: bool = False) -> None:
    """Draw recall at k of all rankings, and recall at the smallest k by subset, with 95 % intervals, as PNG."""
    recalls = [m for m in metrics if m.metric.startswith("recall@") and m.over == "spectra" and not np.isnan(m.value)]
    figure = new_figure(width=11, height=5)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.3))
    _draw_rankings(left, [m for m in recalls if m.subset == "all"])
    first = min((m.metric for m in recalls), key=_k, default="")
    _draw_subsets(right, [m for m in recalls if m.ranking == "score" and m.metric == first])
    save_png(figure, destination, force=force)


def _k(name: str) -> int:
    return int(name.partition("@")[2])


def _draw_rankings(axes: Axes, recalls: Sequence[Metric]) -> None:
    names = sorted({m.metric for m in recalls}, key=_k)
    rankings = [ranking for ranking in _LABELS if any(m.ranking == ranking for m in recalls)]
    width = 0.8 / max(1, len(rankings))
    for j, ranking in enumerate(rankings):
        recall_of = {m.metric: m for m in recalls if m.ranking == ranking}
        at = np.arange(len(names)) + (j - (len(rankings) - 1) / 2) * width
        values, errors = _bars([recall_of[name] for name in names])
        axes.bar(at, values, width, yerr=errors, capsize=2, label=_LABELS[ranking])
    axes.set_xticks(range(len(names)), names)
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of spectra")
    if recalls:
        axes.set_title(f"{recalls[0].n_spectra} spectra of {recalls[0].n_molecules} molecules")
        axes.legend(frameon=False)


def _draw_subsets(axes: Axes, recalls: Sequence[Metric]) -> None:
    values, errors = _bars(recalls)
    axes.barh(range(len(recalls)), values, xerr=errors, capsize=2, color="tab:blue")
    axes.set_yticks(range(len(recalls)), [f"{m.subset} ({m.n_spectra})" for m in recalls])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    if recalls:
        axes.set_xlabel(f"{recalls[0].metric}, share of spectra")


def _bars(metrics: Sequence[Metric]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values (n,), and how far their intervals reach down and up (2, n)."""
    values = np.array([m.value for m in metrics])
    errors = np.array([[m.value - m.low, m.high - m.value] for m in metrics]).reshape(-1, 2).T
    return values, np.clip(errors, 0, None)


def draw_learning_curve(
    rows: Sequence[Mapping[str, float]], destination: str | os.PathLike[str], *, force: bool = False
) -> None:
    """Draw losses in one panel and the metrics of the validation spectra in another, against the epoch, as PNG.

    Args:
        rows: One an epoch; columns that end in `loss`, and those that begin with `recall` or `mrr`, are drawn.
        destination: Path or `-`.
        force: Replace a file that exists.
    """
    names = list(rows[0]) if rows else []
    losses = [name for name in names if name.endswith("loss")]
    metrics = [name for name in names if name.startswith(("recall", "mrr"))]
    figure = new_figure(width=10, height=4)
    for axes, chosen, label in zip(figure.subplots(1, 2), (losses, metrics), ("loss", "validation"), strict=True):
        for name in chosen:
            axes.plot([row[_EPOCH] for row in rows], [row[name] for row in rows], marker="o", markersize=3, label=name)
        axes.set_xlabel(_EPOCH)
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        if chosen:
            axes.legend(frameon=False)
    save_png(figure, destination, force=force)


def new_figure(*, width: float, height: float) -> Figure:
    """An empty figure, width and height in inches; raises `UsageError` where matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError(
            "pictures need matplotlib, which is not installed", advice="pip install 'specbridge_tools[plot]'"
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def save_png(figure: Figure, destination: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a figure to a path or `-`; the same figure makes the same bytes."""
    with output_path(destination, force=force) as temporary:
        figure.savefig(temporary, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
