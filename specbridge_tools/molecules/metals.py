"""Metals that a structure had and its standard form has no more: what stood as a complex is then its ligand."""

from __future__ import annotations

import re

COMPLEX = "left without a metal"
"""What is said of such a molecule, as the closing line counts it."""
# All metals but those that are mere counter ions of salts: the alkali metals, calcium, strontium and barium.
_METALS = frozenset(
    (
        *("Be", "Mg", "Ra", "Al", "Ga", "In", "Tl", "Sn", "Pb", "Bi", "Po"),
        *("Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd"),
        *("Ag", "Cd", "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg"),
        *("La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu"),
        *("Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm"),
    )
)
_ELEMENT = re.compile(r"[A-Z][a-z]?")
_ATOMS = {
    "smiles": re.compile(r"\[\d*([A-Z][a-z]?)"),
    # an atom line of a molfile: three coordinates and the symbol, or M  V30 and its number
    "mol": re.compile(r"^(?:(?: *-?\d+\.\d+){3} +|M  V30 +\d+ +)([A-Z][a-z]?)\b", re.MULTILINE),
}


def lost_metals(text: str, kind: str, formula: str) -> tuple[str, ...]:
    """The metals of a structure that are not in the formula of its standard form, A to Z.

    Args:
        text: The structure as given.
        kind: smiles, inchi or mol.
        formula: In Hill order.
    """
    if kind == "inchi":
        layer = text.split("/")[1:2]
        written = set(_ELEMENT.findall(layer[0])) if layer else set()
    else:
        written = set(_ATOMS[kind].findall(text))
    metals = written & _METALS
    return tuple(sorted(metals - set(_ELEMENT.findall(formula)))) if metals else ()
