"""Structures as pictures. Beside `molecules.chemistry` only this module imports rdkit: no other command draws."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem.Draw import rdMolDraw2D

from specbridge_tools.errors import DataError
from specbridge_tools.molecules import reasons
from specbridge_tools.molecules.chemistry import configured, parse_smiles

MAX_DRAWN_ATOMS = 250
"""The largest natural products have fewer. A picture of so many takes up to a second, one of a thousand minutes."""
# darker than rdkit's own, which can hardly be read on white: {atomic number: red, green, blue}
_COLOURS = {
    7: (0.05, 0.25, 0.85), 8: (0.8, 0.05, 0.05), 9: (0.0, 0.5, 0.5), 15: (0.7, 0.35, 0.0), 16: (0.55, 0.42, 0.0),
    17: (0.0, 0.5, 0.0), 35: (0.5, 0.25, 0.15), 53: (0.45, 0.15, 0.6),
}  # fmt: skip
_BOND_LENGTH = 26  # pixels, of small molecules; large ones have shorter ones
# what a drawing repeats for each line and letter although it is the default
_NEEDLESS_STYLE = re.compile(
    r"\s*<!--.*?-->| class='[^']*'|fill-rule:evenodd;|;stroke-(?:linecap:butt|linejoin:miter|opacity:1|miterlimit:10)"
    r"|;(?=')|font-style:normal;|font-weight:normal;|fill-opacity:1;|stroke:none;|text-anchor:start;"
)
_PATH = re.compile(r"<path d='([^']*)' style='([^']*)' />\n")
_LETTER = re.compile(r"<text (x='[^']*' y='[^']*') style='([^']*)' >([^<]*)</text>\n")
_HEAD = re.compile(r"^.*?<svg[^>]*>\n", re.DOTALL)


@dataclasses.dataclass(frozen=True, eq=False)
class Drawing:
    """A structure of n atoms and m bonds as a picture, and where it stands in it.

    Attributes:
        svg: An SVG document.
        atoms: (n, 2) x and y of the atoms, in pixels of the picture, in the order of the SMILES.
        bonds: (m, 2) the two atoms of each bond.
        elements: n symbols.
    """

    svg: str
    atoms: NDArray[np.float64]
    bonds: NDArray[np.int64]
    elements: tuple[str, ...]


def draw_structure(smiles: str, *, width: int, height: int) -> Drawing:
    """SMILES -> a picture of `width` by `height` pixels.

    Raises:
        DataError: The SMILES cannot be read, or has too many atoms to be drawn.
    """
    without_fonts = True  # letters are text, not outlines
    canvas = rdMolDraw2D.MolDraw2DSVG(width, height, width, height, without_fonts)
    configured(canvas.drawOptions(), clearBackground=False, bondLineWidth=1.2, minFontSize=8, padding=0.05)
    configured(canvas.drawOptions(), fixedBondLength=_BOND_LENGTH, maxFontSize=14)
    canvas.drawOptions().updateAtomPalette(_COLOURS)
    with rdBase.BlockLogs():
        try:
            molecule = parse_smiles(smiles)
            if molecule.GetNumAtoms() > MAX_DRAWN_ATOMS:
                raise DataError(f"{reasons.NOT_DRAWN}: {molecule.GetNumAtoms()} atoms")
            rdMolDraw2D.PrepareAndDrawMolecule(canvas, molecule)
        except (RuntimeError, ValueError) as error:
            # rdkit's own invariants and sanitisation
            raise DataError(reasons.UNREADABLE) from error
    canvas.FinishDrawing()
    return Drawing(_compact(canvas.GetDrawingText(), width, height), *_places(canvas, molecule), _elements(molecule))


def _places(canvas: rdMolDraw2D.MolDraw2DSVG, molecule: Chem.Mol) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    points = [canvas.GetDrawCoords(atom) for atom in range(molecule.GetNumAtoms())]
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()]
    return np.array([(point.x, point.y) for point in points]), np.array(bonds, np.int64).reshape(-1, 2)


def _elements(molecule: Chem.Mol) -> tuple[str, ...]:
    return tuple(atom.GetSymbol() for atom in molecule.GetAtoms())


def _compact(svg: str, width: int, height: int) -> str:
    """The same picture in a third of the text: lines of one style are one path, letters of one style a group."""
    svg = _NEEDLESS_STYLE.sub("", svg)
    lines: dict[str, list[str]] = {}
    for line, style in _PATH.findall(svg):
        lines.setdefault(style, []).append(re.sub(r" ?([MLZ]) ?", r"\1", line))
    letters: dict[str, list[str]] = {}
    for place, style, letter in _LETTER.findall(svg):
        letters.setdefault(style, []).append(f"<text {place}>{letter}</text>")
    others = _LETTER.sub("", _PATH.sub("", _HEAD.sub("", svg))).replace("</svg>", "").strip()
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' viewBox='0 0 {width} {height}'>",
        *(f"<path d='{''.join(each)}' style='{style}'/>" for style, each in lines.items()),
        others,
        *(f"<g style='{style}'>{''.join(each)}</g>" for style, each in letters.items()),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)
