import builtins
import dataclasses
import math

import pytest

from specbridge_tools.errors import UsageError
from specbridge_tools.evaluation.evaluate import Metric
from specbridge_tools.report import plots
from specbridge_tools.report.plots import draw_learning_curve, draw_metrics

ROWS = [
    {"epoch": 1, "train_loss": 0.9, "recall@1": 0.1, "mrr": 0.2, "seconds": 3},
    {"epoch": 2, "train_loss": 0.5, "recall@1": 0.2, "mrr": 0.3, "seconds": 3},
]


def metric(subset, ranking, name, value):
    return Metric(subset, ranking, name, "spectra", value, value - 0.1, value + 0.1, 9, 3)


METRICS = [
    metric("all", "score", "recall@1", 0.5),
    metric("all", "score", "recall@20", 0.9),
    metric("all", "random", "recall@1", 0.2),
    metric("all", "random", "recall@20", 0.4),
    metric("all", "mass_only", "recall@1", math.nan),
    metric("polarity=positive", "score", "recall@1", 0.6),
    metric("polarity=negative", "score", "recall@1", 0.4),
]


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were saved."""
    figures = []
    make = plots.new_figure

    def remember(**size):
        figures.append(make(**size))
        return figures[-1]

    monkeypatch.setattr(plots, "new_figure", remember)
    return figures


@pytest.mark.slow
def test_learning_curve_shows_losses_and_measures(tmp_path, drawn):
    draw_learning_curve(ROWS, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    losses, measures = drawn[0].axes
    assert {line.get_label(): list(line.get_ydata()) for line in losses.lines} == {"train_loss": [0.9, 0.5]}
    assert {line.get_label(): list(line.get_ydata()) for line in measures.lines} == {
        "recall@1": [0.1, 0.2],
        "mrr": [0.2, 0.3],
    }


def test_learning_curve_before_the_first_epoch(tmp_path):
    draw_learning_curve([], tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 0


def test_same_curve_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        draw_learning_curve(ROWS, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_metrics_picture_shows_rankings_and_subsets(tmp_path, drawn):
    draw_metrics(METRICS, tmp_path / "metrics.png")
    rankings, subsets = drawn[0].axes
    assert [bar.get_height() for bar in rankings.patches] == [0.5, 0.9, 0.2, 0.4]
    assert [text.get_text() for text in rankings.get_legend().get_texts()] == ["hits", "random"]
    assert [bar.get_width() for bar in subsets.patches] == [0.5, 0.6, 0.4]
    assert [label.get_text() for label in subsets.get_yticklabels()][1] == "polarity=positive (9)"


def test_metrics_picture_of_nothing_known(tmp_path):
    draw_metrics([dataclasses.replace(METRICS[0], value=math.nan)], tmp_path / "metrics.png")
    assert (tmp_path / "metrics.png").stat().st_size > 0


def test_an_existing_picture_is_kept(tmp_path):
    (tmp_path / "metrics.png").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        draw_metrics(METRICS, tmp_path / "metrics.png")
    assert (tmp_path / "metrics.png").read_text() == "mine"


def test_missing_matplotlib_is_named(tmp_path, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UsageError, match=r"pip install 'specbridge_tools\[plot\]'"):
        draw_metrics(METRICS, tmp_path / "metrics.png")
    assert not list(tmp_path.iterdir())
