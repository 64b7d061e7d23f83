"""HTML made of elements; text that is not markup already is escaped, so that no text of a file can become markup.

By hand, although markupsafe has such a string class: it would be a dependency for twenty lines.
"""

from __future__ import annotations

import base64
import html
from typing import TypeAlias

_WITHOUT_END = frozenset(("br", "img", "link", "meta"))


class Markup(str):
    """Text that is HTML."""

    __slots__ = ()


Child: TypeAlias = str | float
"""What an element holds: text, which is escaped unless it is `Markup`, or a number."""


def element(name: str, *children: Child, **attributes: Child | None) -> Markup:
    """Make an element: `element("td", "a < b", colspan=2)`.

    Args:
        name: Of the element.
        children: What it holds.
        attributes: None leaves one out; a `_` at the end of a name, as in `class_`, is not part of it.
    """
    values = "".join(
        f' {key.rstrip("_")}="{_escaped(value)}"' for key, value in attributes.items() if value is not None
    )
    if name in _WITHOUT_END:
        return Markup(f"<{name}{values}>")
    return Markup(f"<{name}{values}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """Children one after the other, without an element around them."""
    return Markup("".join(child if isinstance(child, Markup) else _escaped(child) for child in children))


def image(svg: str, *, text: str, width: int, height: int) -> Markup:
    """A picture that is part of the page itself; text: what is shown in its place.

    It is an `img`, not `svg` elements: servers that clean foreign HTML then show its text, and nothing from inside it.
    """
    data = base64.b64encode(svg.encode()).decode()
    return element("img", src=f"data:image/svg+xml;base64,{data}", alt=text, width=width, height=height)


def _escaped(text: Child) -> str:
    # a lone surrogate, which JSON can hold, cannot be written
    return html.escape(str(text)).encode("utf-8", "replace").decode()
