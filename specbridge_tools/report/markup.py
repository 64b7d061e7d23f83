"""HTML made of elements; text that is not markup already is escaped, so that no text of a file can become markup.

By hand, although markupsafe has such a string class: it would be a dependency for twenty lines.
"""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TypeAlias

# within single quotes, that it ends with one, and what a parser of HTML or JavaScript could take for more than text
_UNSAFE_IN_JSON = re.compile("[<>&'\u2028\u2029]")
_WITHOUT_END = frozenset(("br", "img", "link", "meta"))


class Markup(str):
    """Text that is HTML."""

    __slots__ = ()


Child: TypeAlias = str | float
"""What an element holds: text, which is escaped unless it is `Markup`, or a number."""


def element(name: str, /, *children: Child, **attributes: Child | None) -> Markup:
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


def image(svg: str, *, text: str, width: int, height: int, class_: str | None = None) -> Markup:
    """A picture that is part of the page itself; text: what is shown in its place; class_: of the element.

    It is an `img`, not `svg` elements: servers that clean foreign HTML then show its text, and nothing from inside it.
    """
    data = base64.b64encode(svg.encode()).decode()
    return element("img", src=f"data:image/svg+xml;base64,{data}", alt=text, width=width, height=height, class_=class_)


def data_element(class_: str, values: object) -> Markup:
    """An empty element whose attribute `data-json` holds plain values, finite numbers only, for the page's scripts.

    It is an attribute, not a script of JSON: servers that clean foreign HTML leave the text of scripts in the page.
    """
    # ASCII alone: a lone surrogate can be written, too
    text = json.dumps(values, separators=(",", ":"), allow_nan=False)
    escaped = _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return Markup(f"<div class=\"{class_}\" data-json='{escaped}'></div>")


def _escaped(text: Child) -> str:
    # a lone surrogate, which JSON can hold, cannot be written
    return html.escape(str(text)).encode("utf-8", "replace").decode()
