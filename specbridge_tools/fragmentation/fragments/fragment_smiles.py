"""Fragments written as SMILES.

RDKit's `MolFragmentToSmiles` would need RDKit's own molecule, and only the graph of it is at hand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.molecules.graph import MolecularGraph

# {atom: [(neighbour, bond)]}
_Neighbours = dict[int, list[tuple[int, int]]]

_ORGANIC = frozenset(("B", "C", "N", "O", "P", "S", "F", "Cl", "Br", "I"))
_BOND = {1.0: "", 2.0: "=", 3.0: "#", 1.5: "", 0.0: "~"}


def fragment_smiles(graph: MolecularGraph, atoms: NDArray[np.bool_]) -> str:
    """Write a connected part of a molecule; `atoms` (n,) says which atoms are part of it.

    Each atom has the hydrogens that it has in the molecule. An atom that lost a bond, has a charge, or is of an element
    outside the organic subset is written in brackets, with its hydrogens. Atoms follow the order of the graph.
    """
    inside = set(atoms.nonzero()[0].tolist())
    neighbours: _Neighbours = {atom: [] for atom in inside}
    opened: set[int] = set()
    for bond, (first, second) in enumerate(graph.bonds.tolist()):
        if first in inside and second in inside:
            neighbours[first].append((second, bond))
            neighbours[second].append((first, bond))
        else:
            opened.update({first, second} & inside)
    symbols = {atom: _atom(graph, atom, atom in opened) for atom in inside}
    return _write(graph, min(inside), neighbours, symbols)


def _atom(graph: MolecularGraph, atom: int, opened: bool) -> str:
    element, hydrogens, charge = graph.elements[atom], int(graph.hydrogens[atom]), int(graph.charges[atom])
    aromatic = bool(graph.aromatic[atom])
    symbol = element.lower() if aromatic else element
    if element in _ORGANIC and not (opened or charge or (aromatic and hydrogens and element != "C")):
        return symbol
    count = "" if not hydrogens else "H" if hydrogens == 1 else f"H{hydrogens}"
    sign = "" if not charge else ("+" if charge > 0 else "-") + (str(abs(charge)) if abs(charge) > 1 else "")
    return f"[{symbol}{count}{sign}]"


def _write(graph: MolecularGraph, start: int, neighbours: _Neighbours, symbols: dict[int, str]) -> str:
    children, closures = _tree(start, neighbours)
    text: list[str] = []
    stack: list[tuple[int | None, str]] = [(start, "")]
    while stack:
        atom, lead = stack.pop()
        if atom is None:
            text.append(lead)
            continue
        text.append(lead + symbols[atom])
        for number, bond in closures[atom]:
            text.append(_bond(graph, bond) + (str(number) if number < 10 else f"%{number}"))
        below = children[atom]
        for position, (child, bond) in reversed(list(enumerate(below))):
            last = position == len(below) - 1
            if not last:
                stack.append((None, ")"))
            stack.append((child, ("" if last else "(") + _bond(graph, bond)))
    return "".join(text)


def _tree(start: int, neighbours: _Neighbours) -> tuple[_Neighbours, _Neighbours]:
    """Depth-first: {atom: [(child, bond)]}, {atom: [(ring number, bond)]}."""
    children: _Neighbours = {atom: [] for atom in neighbours}
    closures: _Neighbours = {atom: [] for atom in neighbours}
    seen, used = {start}, set[int]()
    path = [(start, iter(neighbours[start]))]
    while path:
        atom, following = path[-1]
        step = next(following, None)
        if step is None:
            path.pop()
            continue
        other, bond = step
        if bond in used:
            continue
        used.add(bond)
        if other in seen:
            number = 1 + sum(len(rings) for rings in closures.values()) // 2
            closures[atom].append((number, bond))
            closures[other].append((number, bond))
            continue
        seen.add(other)
        children[atom].append((other, bond))
        path.append((other, iter(neighbours[other])))
    return children, closures


def _bond(graph: MolecularGraph, bond: int) -> str:
    order = float(graph.orders[bond])
    first, second = graph.bonds[bond]
    if order == 1.0 and graph.aromatic[first] and graph.aromatic[second]:
        return "-"
    return _BOND.get(order, "~")
