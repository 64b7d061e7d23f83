"""Structures as pictures. Beside `molecules.chemistry` only this module imports rdkit: no other command draws."""

from __future__ import annotations

import re

from rdkit import rdBase
from rdkit.Chem.Draw import rdMolDraw2D

from specbridge_tools.errors import DataError
from specbridge_tools.molecules import reasons
from specbridge_tools.molecules.chemistry import configured, parse_smiles

MAX_DRAWN_ATOMS = 250
"""The largest natural products have fewer. A picture of so many takes up to a second, one of a thousand minutes."""
# what a drawing repeats for each line and letter although it is the default
_NEEDLESS_STYLE = re.compile(
    r"\s*<!--.*?-->| class='[^']*'|fill-rule:evenodd;|;stroke-linecap:butt|;stroke-linejoin:miter|;stroke-opacity:1"
    r"|font-style:normal;|font-weight:normal;|fill-opacity:1;|stroke:none;|text-anchor:start;"
)


def draw_structure(smiles: str, *, width: int, height: int) -> str:
    """SMILES -> an SVG document of `width` by `height` pixels.

    Raises:
        DataError: The SMILES cannot be read, or has too many atoms to be drawn.
    """
    without_fonts = True  # letters are text, not outlines
    canvas = rdMolDraw2D.MolDraw2DSVG(width, height, width, height, without_fonts)
    configured(canvas.drawOptions(), clearBackground=False, bondLineWidth=1.2, minFontSize=8, padding=0.04)
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
    return _NEEDLESS_STYLE.sub("", canvas.GetDrawingText())
