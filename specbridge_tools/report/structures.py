"""Structures of candidates, each molecule drawn once however many queries it is a candidate of."""

from __future__ import annotations

import functools

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.drawing import Drawing, draw_structure
from specbridge_tools.report.markup import Markup, image

WIDTH, HEIGHT = 220, 140
_REMEMBERED = 2000  # some kB each


@functools.lru_cache(maxsize=_REMEMBERED)
def drawn(smiles: str) -> Drawing | str:
    """The picture of a structure, or why there is none."""
    try:
        return draw_structure(smiles, width=WIDTH, height=HEIGHT)
    except DataError as error:
        return error.message


def structure_image(smiles: str) -> Markup | str:
    """The picture as an element, or the SMILES and why it is not drawn."""
    drawing = drawn(smiles)
    if isinstance(drawing, str):
        return f"{smiles} ({drawing})"
    return image(drawing.svg, text=smiles, width=WIDTH, height=HEIGHT, class_="structure")


def small_image(smiles: str) -> Markup | str:
    """The picture at half its size, '' where there is none."""
    drawing = drawn(smiles)
    if isinstance(drawing, str):
        return ""
    return image(drawing.svg, text=smiles, width=WIDTH // 2, height=HEIGHT // 2, class_="small")
