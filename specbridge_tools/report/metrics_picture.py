"""A picture of how well spectra were identified, beside what a spectrum-blind ranking gets from the same lists."""

import numpy as np

from specbridge_tools.report.figure import new_figure, save_png

_LABELS = {"score": "hits", "spectrum_blind": "spectrum-blind", "mass_only": "mass only", "random": "random"}


def draw_metrics(metrics, destination, *, force=False):
    """Draw recall at k of all rankings, and recall at the smallest k by subset, with 95 % intervals, as PNG."""
    recalls = [m for m in metrics if m.metric.startswith("recall@") and m.over == "spectra" and not np.isnan(m.value)]
    figure = new_figure(width=11, height=5)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.3))
    _draw_rankings(left, [m for m in recalls if m.subset == "all"])
    first = min((m.metric for m in recalls), key=_k, default="")
    _draw_subsets(right, [m for m in recalls if m.ranking == "score" and m.metric == first])
    save_png(figure, destination, force=force)


def _k(name):
    return int(name.partition("@")[2])


def _draw_rankings(axes, recalls):
    names = sorted({m.metric for m in recalls}, key=_k)
    rankings = [ranking for ranking in _LABELS if any(m.ranking == ranking for m in recalls)]
    width = 0.8 / max(1, len(rankings))
    for j, ranking in enumerate(rankings):
        mine = {m.metric: m for m in recalls if m.ranking == ranking}
        at = np.arange(len(names)) + (j - (len(rankings) - 1) / 2) * width
        values, errors = _bars([mine[name] for name in names])
        axes.bar(at, values, width, yerr=errors, capsize=2, label=_LABELS[ranking])
    axes.set_xticks(range(len(names)), names)
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of spectra")
    if recalls:
        axes.set_title(f"{recalls[0].n_spectra} spectra of {recalls[0].n_molecules} molecules")
        axes.legend(frameon=False)


def _draw_subsets(axes, recalls):
    values, errors = _bars(recalls)
    axes.barh(range(len(recalls)), values, xerr=errors, capsize=2, color="tab:blue")
    axes.set_yticks(range(len(recalls)), [f"{m.subset} ({m.n_spectra})" for m in recalls])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    if recalls:
        axes.set_xlabel(f"{recalls[0].metric}, share of spectra")


def _bars(metrics):
    values = np.array([m.value for m in metrics])
    errors = np.array([[m.value - m.low, m.high - m.value] for m in metrics]).reshape(-1, 2).T
    return values, np.clip(errors, 0, None)
