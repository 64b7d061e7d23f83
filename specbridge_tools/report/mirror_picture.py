"""Two spectra as one SVG: the query upwards, a reference spectrum downwards, the peaks that both have in colour."""

from __future__ import annotations

from collections.abc import Sequence

from specbridge_tools.report.spectrum_picture import EXPLAINED_COLOUR, OTHER_COLOUR, PRECURSOR_COLOUR

WIDTH, HEIGHT = 760, 260
_LEFT, _RIGHT, _EDGE = 40, 10, 16
_MIDDLE = HEIGHT / 2
_MOST_LABELS = 8
Peaks = Sequence[tuple[float, float]]


def draw_mirror(query: Peaks, reference: Peaks, *, tolerance: float, precursor_mz: float) -> str:
    """Draw an SVG document.

    Args:
        query: (m/z, intensity > 0) in any unit, at least one.
        reference: The same.
        tolerance: m/z by which peaks that both have differ at most.
        precursor_mz: Of the query.
    """
    every = [mz for mz, _ in (*query, *reference)] + [precursor_mz]
    low, high = min(every) - 5, max(every) + 5

    def x(mz: float) -> float:
        return _LEFT + (mz - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
        'font-size="10">',
        f'<path d="M{_LEFT} {_MIDDLE}H{WIDTH - _RIGHT}M{_LEFT} {_EDGE}V{HEIGHT - _EDGE}" stroke="#444" fill="none"/>',
        f'<path d="M{x(precursor_mz):.1f} {_EDGE}V{HEIGHT - _EDGE}" stroke="{PRECURSOR_COLOUR}" '
        'stroke-dasharray="2 3"/>',
        f'<text x="{_LEFT + 4}" y="{_EDGE - 4}">query</text>',
        f'<text x="{_LEFT + 4}" y="{HEIGHT - 4}">reference</text>',
    ]
    for peaks, others, sign in ((query, reference, -1), (reference, query, 1)):
        highest = max(height for _, height in peaks)
        by_height = sorted(peaks, key=lambda peak: -peak[1])
        for number, (mz, height) in enumerate(by_height):
            common = any(abs(mz - other) <= tolerance for other, _ in others)
            colour = EXPLAINED_COLOUR if common else OTHER_COLOUR
            end = _MIDDLE + sign * height / highest * (_MIDDLE - _EDGE - 12)
            lines.append(f'<path d="M{x(mz):.1f} {_MIDDLE}V{end:.1f}" stroke="{colour}" stroke-width="1.5"/>')
            if number < _MOST_LABELS:
                at = f'x="{x(mz):.1f}" y="{end + (10 if sign > 0 else -3):.1f}" text-anchor="middle" fill="{colour}"'
                lines.append(f"<text {at}>{mz:.4f}</text>")
    return "\n".join([*lines, "</svg>"])
