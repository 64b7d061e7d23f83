"""A spectrum as SVG: its peaks as lines, those that fragments explain in colour.

By hand, although matplotlib draws SVG too: it is an optional dependency of this package.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Sequence

WIDTH, HEIGHT = 760, 220
EXPLAINED_COLOUR, OTHER_COLOUR, PRECURSOR_COLOUR = "#0b5fa5", "#9a9a9a", "#b35900"
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 10, 18, 34
_MOST_LABELS = 14
_LABEL_WIDTH, _LABEL_HEIGHT = 46, 11
_TICKS = 10


def draw_spectrum(
    mz: Sequence[float], intensity: Sequence[float], *, explained: Container[float], precursor_mz: float
) -> str:
    """Draw an SVG document.

    Args:
        mz: (p,) p >= 1.
        intensity: (p,) > 0, in any unit.
        explained: m/z of the explained peaks.
        precursor_mz: m/z.
    """
    low, high = _range(mz, precursor_mz)
    highest = max(intensity)

    def x(value: float) -> float:
        return _LEFT + (value - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return HEIGHT - _BOTTOM - value / highest * (HEIGHT - _TOP - _BOTTOM)

    def colour(value: float) -> str:
        return EXPLAINED_COLOUR if value in explained else OTHER_COLOUR

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
        'font-size="10">',
        *_axes(low, high, x, y(0)),
        f'<path d="M{x(precursor_mz):.1f} {y(0):.1f}V{_TOP}" stroke="{PRECURSOR_COLOUR}" stroke-dasharray="2 3"/>',
    ]
    # the explained ones last, above the others
    for peak_mz, height in sorted(zip(mz, intensity, strict=True), key=lambda peak: peak[0] in explained):
        path = f"M{x(peak_mz):.1f} {y(0):.1f}V{y(height):.1f}"
        lines.append(f'<path d="{path}" stroke="{colour(peak_mz)}" stroke-width="1.5"/>')
    for peak_mz, at_x, at_y in _labels(mz, intensity, x, y):
        place = f'x="{at_x:.1f}" y="{at_y:.1f}" text-anchor="middle" fill="{colour(peak_mz)}"'
        lines.append(f"<text {place}>{peak_mz:.4f}</text>")
    return "\n".join([*lines, "</svg>"])


def _range(mz: Sequence[float], precursor_mz: float) -> tuple[float, float]:
    low, high = min(min(mz), precursor_mz), max(max(mz), precursor_mz)
    margin = max(5.0, 0.05 * (high - low))
    return max(0.0, low - margin), high + margin


def _axes(low: float, high: float, x: Callable[[float], float], bottom: float) -> Iterator[str]:
    yield f'<path d="M{_LEFT} {bottom}H{WIDTH - _RIGHT}M{_LEFT} {bottom}V{_TOP}" stroke="#444" fill="none"/>'
    step = _step(high - low)
    for number in range(math.ceil(low / step), math.floor(high / step) + 1):
        value = number * step
        yield f'<path d="M{x(value):.1f} {bottom}v4" stroke="#444"/>'
        yield f'<text x="{x(value):.1f}" y="{bottom + 14}" text-anchor="middle">{value:g}</text>'
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT - 5}" text-anchor="middle">m/z</text>'
    for share, at in (("100 %", _TOP), ("0", bottom)):
        yield f'<text x="{_LEFT - 4}" y="{at + 4}" text-anchor="end">{share}</text>'


def _step(span: float) -> float:
    """1, 2 or 5 times a power of ten, so that about `_TICKS` of them fill the span."""
    power = 10.0 ** math.floor(math.log10(span / _TICKS))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power * _TICKS >= span)


def _labels(
    mz: Sequence[float], intensity: Sequence[float], x: Callable[[float], float], y: Callable[[float], float]
) -> list[tuple[float, float, float]]:
    """(m/z, x, y) of the labels of the most intense peaks, but for those that would cover another."""
    placed: list[tuple[float, float, float]] = []
    for peak_mz, height in sorted(zip(mz, intensity, strict=True), key=lambda peak: -peak[1]):
        at_x, at_y = x(peak_mz), y(height) - 4
        at_x = min(max(at_x, _LEFT + _LABEL_WIDTH / 2), WIDTH - _LABEL_WIDTH / 2)
        if all(abs(at_x - u) >= _LABEL_WIDTH or abs(at_y - v) >= _LABEL_HEIGHT for _, u, v in placed):
            placed.append((peak_mz, at_x, at_y))
        if len(placed) == _MOST_LABELS:
            break
    return placed
