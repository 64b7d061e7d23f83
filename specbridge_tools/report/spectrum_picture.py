"""A spectrum as SVG: its peaks as lines, those that fragments explain in colour."""

import math

WIDTH, HEIGHT = 760, 220
EXPLAINED_COLOUR, OTHER_COLOUR, PRECURSOR_COLOUR = "#0b5fa5", "#9a9a9a", "#b35900"
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 10, 18, 34
_MOST_LABELS = 14
_LABEL_WIDTH, _LABEL_HEIGHT = 46, 11
_TICKS = 10


def draw_spectrum(mz, intensity, *, explained, precursor_mz):
    """mz, intensity: (p,) in any unit, p >= 1; explained: m/z of the explained ones; -> an SVG document."""
    low, high = _range(mz, precursor_mz)
    highest = max(intensity)

    def x(value):
        return _LEFT + (value - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    def y(value):
        return HEIGHT - _BOTTOM - value / highest * (HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
        'font-size="10">',
        *_axes(low, high, x, y(0)),
        f'<path d="M{x(precursor_mz):.1f} {y(0):.1f}V{_TOP}" stroke="{PRECURSOR_COLOUR}" stroke-dasharray="2 3"/>',
    ]
    # the explained ones last, above the others
    peaks = sorted(zip(mz, intensity, strict=True), key=lambda peak: peak[0] in explained)
    for position, height in peaks:
        colour = EXPLAINED_COLOUR if position in explained else OTHER_COLOUR
        parts.append(f'<path d="M{x(position):.1f} {y(0):.1f}V{y(height):.1f}" stroke="{colour}" stroke-width="1.5"/>')
    for position, at_x, at_y in _labels(mz, intensity, x, y):
        colour = EXPLAINED_COLOUR if position in explained else OTHER_COLOUR
        parts.append(f'<text x="{at_x:.1f}" y="{at_y:.1f}" text-anchor="middle" fill="{colour}">{position:.4f}</text>')
    return "\n".join([*parts, "</svg>"])


def _range(mz, precursor_mz):
    low, high = min(min(mz), precursor_mz), max(max(mz), precursor_mz)
    margin = max(5.0, 0.05 * (high - low))
    return max(0.0, low - margin), high + margin


def _axes(low, high, x, bottom):
    yield f'<path d="M{_LEFT} {bottom}H{WIDTH - _RIGHT}M{_LEFT} {bottom}V{_TOP}" stroke="#444" fill="none"/>'
    step = _step(high - low)
    for number in range(math.ceil(low / step), math.floor(high / step) + 1):
        value = number * step
        yield f'<path d="M{x(value):.1f} {bottom}v4" stroke="#444"/>'
        yield f'<text x="{x(value):.1f}" y="{bottom + 14}" text-anchor="middle">{value:g}</text>'
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT - 5}" text-anchor="middle">m/z</text>'
    for share, at in (("100 %", _TOP), ("0", bottom)):
        yield f'<text x="{_LEFT - 4}" y="{at + 4}" text-anchor="end">{share}</text>'


def _step(span):
    """1, 2 or 5 times a power of ten, so that about `_TICKS` of it fill the span."""
    power = 10.0 ** math.floor(math.log10(span / _TICKS))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power * _TICKS >= span)


def _labels(mz, intensity, x, y):
    """(m/z, x, y) of the labels of the most intense peaks, but for those that would cover another."""
    placed = []
    for position, height in sorted(zip(mz, intensity, strict=True), key=lambda peak: -peak[1]):
        at_x, at_y = x(position), y(height) - 4
        at_x = min(max(at_x, _LEFT + _LABEL_WIDTH / 2), WIDTH - _LABEL_WIDTH / 2)
        if all(abs(at_x - u) >= _LABEL_WIDTH or abs(at_y - v) >= _LABEL_HEIGHT for _, u, v in placed):
            placed.append((position, at_x, at_y))
        if len(placed) == _MOST_LABELS:
            break
    return placed
