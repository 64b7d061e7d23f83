r"""Text of foreign files, shown so that it cannot change a terminal or the columns of a table.

What controls a terminal, or the order of the letters on it, becomes an escape such as `\x1b`, `\t` or `\u202e`.
"""

from __future__ import annotations

import io
import re

# C0 and C1 controls, marks and overrides of direction, separators of lines, halves of a surrogate pair
_CONTROLS = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_A_CELL = re.compile(f"[{_CONTROLS}]")
_IN_A_TABLE = re.compile(f"(?![\t\n])[{_CONTROLS}]")


def cell(text: str) -> str:
    """Text for one cell of a table that people read: one line, no tab."""
    return _IN_A_CELL.sub(_escape, text)


def quotable(text: str) -> str:
    """Text for a cell that is quoted where it holds a tab or a line feed, which stay."""
    return _IN_A_TABLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


class TerminalText(io.TextIOWrapper):
    """A text file on a terminal: all but tabs and line ends is shown as `cell` shows it."""

    def write(self, text: str, /) -> int:
        super().write(quotable(text))
        return len(text)
