"""The HTML document around the page: its style, its scripts, and what a browser lets it do.

The page works without scripts. With them it becomes a view of it that can be sorted, filtered and zoomed. They are
some 48 kB of plain JavaScript in `live/`, which draw spectra as SVG; the spectra alone are 11 kB. A plotting library
would draw axes and zoom, too, but neither mirrored spectra nor fragments inside structures, and would be much of the
page: the minified files of plotly.js 4.1 have 4.8 MB (its basic part 1.2 MB), vega 6.4 with vega-lite 0.8 MB, d3 7.9
0.28 MB. uPlot 1.6 has 51 kB, but draws on a canvas, whose peaks have no names for screen readers and no colours of the
style sheet.

Style and scripts are linked as data: where a server takes such elements out of the page, their text is not left behind.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.resources
from typing import BinaryIO

from specbridge_tools.report.markup import Markup, element, joined

_SCRIPTS = ("dom.js", "peaks.js", "structure.js", "spectrum.js", "overview.js", "query.js", "page.js")
_BLOCK = 1 << 20


def head(nonce: str) -> Markup:
    """Everything before the content of the body; `nonce` is that of `script`."""
    policy = (
        f"default-src 'none'; img-src data:; style-src data:; script-src '{_hash(_script())}' 'nonce-{nonce}'; "
        "base-uri 'none'; form-action 'none'"
    )
    elements = (
        element("meta", charset="utf-8"),
        element("meta", content=policy, **{"http-equiv": "Content-Security-Policy"}),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", "Candidates"),
        element("link", rel="stylesheet", href=_data("text/css", _file("page.css"))),
    )
    return joined(Markup('<!DOCTYPE html>\n<html lang="en">\n'), element("head", *elements), Markup("\n<body>\n"))


def foot(nonce: str) -> Markup:
    """Everything behind the content of the body.

    The hash allows the script and nothing else. The nonce is for browsers that know hashes of inline scripts only.
    """
    script = element(
        "script",
        src=_data("text/javascript", _script()),
        integrity=_hash(_script()),
        nonce=nonce,
        crossorigin="anonymous",
    )
    return joined(script, Markup("\n</body>\n</html>\n"))


def nonce_of(content: BinaryIO) -> str:
    """A number that no text in the content can know, and that is the same for the same content, from its start."""
    digest = hashlib.sha256(_script())
    content.seek(0)
    while block := content.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()[:32]


@functools.cache
def _script() -> bytes:
    parts = b"\n".join(_file(name) for name in _SCRIPTS)
    return b'(() => {\n"use strict";\n' + parts + b"})();\n"


def _file(name: str) -> bytes:
    return importlib.resources.files("specbridge_tools.report").joinpath("live").joinpath(name).read_bytes()


def _hash(content: bytes) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content).digest()).decode()


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
