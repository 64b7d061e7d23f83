"""HTML put together from elements: what is not markup already is escaped, so that no text of a file can become any."""

import base64
import html

_WITHOUT_END = frozenset(("br", "img", "link", "meta"))


class Markup(str):
    """Text that is HTML."""

    __slots__ = ()


def element(name, *children, **attributes):
    """An element as `Markup`: `element("td", "a < b", colspan=2)`.

    children    text, which is escaped unless it is `Markup`; numbers are written as text
    attributes  None leaves one out; a `_` at the end of a name, as in `class_`, is no part of it
    """
    values = "".join(
        f' {key.rstrip("_")}="{_escaped(value)}"' for key, value in attributes.items() if value is not None
    )
    if name in _WITHOUT_END:
        return Markup(f"<{name}{values}>")
    return Markup(f"<{name}{values}>{joined(*children)}</{name}>")


def joined(*children):
    """Children one after the other, without an element around them."""
    return Markup("".join(child if isinstance(child, Markup) else _escaped(child) for child in children))


def image(svg, *, text, width, height):
    """A picture that stands in the page itself; text: what is read where it cannot be seen.

    As an `img`, not as `svg` elements: servers that clean foreign HTML then leave its text in the place of a picture,
    and nothing of its inside.
    """
    data = base64.b64encode(svg.encode()).decode()
    return element("img", src=f"data:image/svg+xml;base64,{data}", alt=text, width=width, height=height)


def _escaped(text):
    # a lone surrogate, which JSON can hold, cannot be written
    return html.escape(str(text)).encode("utf-8", "replace").decode()
