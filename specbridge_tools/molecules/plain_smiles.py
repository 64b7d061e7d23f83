"""The graph of a SMILES as this package writes it, in one compiled loop.

RDKit reads every SMILES; but to ask it for one atom after the other takes ten times as long as this loop, and that is
a quarter of what a candidate costs that is cut into fragments. So what stands in nearly every molecule is read here:
the organic subset, aromatic rings, a few kinds of charged atoms, branches and rings. Whatever else a SMILES holds, and
whatever may be wrong with it, is left to RDKit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.compiled import compiled

_MOST_ATOMS, _MOST_TEXT, _MOST_RINGS, _NONE = 250, 1000, 100, -1
AROMATIC = 15  # ten times the order of such a bond
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
# whether it could be read; atomic number, hydrogens and charge of the atoms; whether they are aromatic, and in a ring;
# pairs of atoms; ten times the order of the bonds, and whether they are in a ring
Parsed = tuple[bool, Ints, Ints, Ints, Bools, Bools, Ints, Ints, Bools]

_B, _C, _N, _O, _F, _SI, _P, _S, _CL, _SE, _BR, _I = 5, 6, 7, 8, 9, 14, 15, 16, 17, 34, 35, 53
HEAVIEST = _I
# signs of a SMILES: in compiled loops `ord` is a call, which takes a second of what the first use compiles
_OPEN, _CLOSE, _SINGLE, _DOUBLE, _TRIPLE, _PERCENT, _BRACKET, _BRACKET_END, _PLUS = b"()-=#%[]+"
_0, _2, _3, _9, _A, _E, _L, _R, _LETTER_I, _LETTER_B, _LETTER_C, _LETTER_H, _LETTER_S = b"0239aelriBCHS"
# atomic numbers by the sign of an atom, 0 where it is none
_ONE_LETTER = np.zeros(256, np.int64)
_ONE_LETTER[np.frombuffer(b"BCNOFPSI", np.uint8)] = _B, _C, _N, _O, _F, _P, _S, _I
_ONE_LETTER[np.frombuffer(b"cnos", np.uint8)] = _C, _N, _O, _S


def read_plain(smiles: str) -> Parsed | None:
    """What `parse_plain` reads, None where it does not."""
    if len(smiles) > _MOST_TEXT or not smiles.isascii():
        return None
    parsed = parse_plain(np.frombuffer(smiles.encode(), np.uint8))
    return parsed if parsed[0] else None


@compiled
def parse_plain(text: NDArray[np.uint8]) -> Parsed:
    """Read a SMILES, as bytes; where it is not one of those, the first value is false and the others mean nothing.

    Atoms are numbered as they are written, bonds as RDKit numbers them: those that close a ring come last, by the
    number of the ring.
    """
    good, n, number, hydrogens, charge, aromatic, in_bracket, bonds, orders = _atoms_and_bonds(text)
    for bond in range(len(bonds)):
        first, second = bonds[bond, 0], bonds[bond, 1]
        if first > second:
            first, second = second, first
            bonds[bond, 0], bonds[bond, 1] = first, second
        if orders[bond] == 0:
            orders[bond] = AROMATIC if aromatic[first] and aromatic[second] else 10
    in_ring = _ring_bonds(n, bonds) if good else np.zeros(len(bonds), np.bool_)
    atom_in_ring = np.zeros(n, np.bool_)
    for bond in range(len(bonds)):
        if in_ring[bond]:
            atom_in_ring[bonds[bond, 0]] = atom_in_ring[bonds[bond, 1]] = True
        elif orders[bond] == AROMATIC:
            good = False  # an aromatic bond is one of a ring
    good = good and not _may_be_aromatic(n, number, charge, aromatic, bonds, orders, in_ring)
    good = good and _with_hydrogens(number, hydrogens, charge, aromatic, in_bracket, bonds, orders, n)
    return good, number[:n], hydrogens[:n], charge[:n], aromatic[:n], atom_in_ring, bonds, orders, in_ring


@compiled
def _atoms_and_bonds(text: NDArray[np.uint8]) -> tuple[bool, int, Ints, Ints, Ints, Bools, Bools, Ints, Ints]:
    """What is written: whether it is understood, how many atoms there are, and as `Parsed` has them, what is known.

    Beside number, hydrogens, charge and aromatic, whether an atom has brackets; orders are 0 where nothing is written.
    """
    n_text = len(text)
    number, hydrogens = np.zeros(n_text + 1, np.int64), np.zeros(n_text + 1, np.int64)
    charge, branch = np.zeros(n_text + 1, np.int64), np.zeros(n_text + 1, np.int64)
    aromatic, in_bracket = np.zeros(n_text + 1, np.bool_), np.zeros(n_text + 1, np.bool_)
    bonds, orders = np.zeros((n_text + _MOST_RINGS, 2), np.int64), np.zeros(n_text + _MOST_RINGS, np.int64)
    open_atom, open_order = np.empty(_MOST_RINGS, np.int64), np.zeros(_MOST_RINGS, np.int64)
    for ring in range(_MOST_RINGS):
        open_atom[ring] = _NONE
    closed = np.zeros((_MOST_RINGS, 4), np.int64)  # ring, atoms, order
    n = m = depth = n_closed = order = 0
    previous, place, good = _NONE, np.int64(0), n_text > 0
    before = _OPEN  # what stood there, a bond left out; "C" for an atom and what belongs to it
    while good and place < n_text:
        sign = text[place]
        if sign == _OPEN:
            good = before != _OPEN and order == 0
            branch[depth] = previous
            depth, place = depth + 1, place + 1
        elif sign == _CLOSE:
            good = depth > 0 and before != _OPEN and order == 0
            depth, place = depth - 1, place + 1
            previous = branch[depth]
        elif sign in (_SINGLE, _DOUBLE, _TRIPLE):
            good = previous != _NONE and order == 0
            order, place = 10 if sign == _SINGLE else 20 if sign == _DOUBLE else 30, place + 1
        elif sign == _PERCENT or _0 <= sign <= _9:
            place, ring = _ring_number(text, place)
            good = ring >= 0 and before == _LETTER_C
            if good and open_atom[ring] == _NONE:
                open_atom[ring], open_order[ring] = previous, order
            elif good:
                first = open_atom[ring]
                good = n_closed < _MOST_RINGS and first != previous and (order == 0 or open_order[ring] in (0, order))
                row = n_closed % _MOST_RINGS
                closed[row, 0], closed[row, 1], closed[row, 2] = ring, first, previous
                closed[row, 3] = max(order, open_order[ring])
                open_atom[ring], n_closed = _NONE, n_closed + 1
            order = 0
        else:
            in_bracket[n] = sign == _BRACKET
            place, number[n], hydrogens[n], charge[n], aromatic[n] = _atom(text, place)
            good = number[n] > 0 and n < _MOST_ATOMS and (previous != _NONE or n == 0)
            if good and previous != _NONE:
                bonds[m, 0], bonds[m, 1], orders[m] = previous, n, order
                m += 1
            previous, order, n = n, 0, n + 1
        if sign not in (_SINGLE, _DOUBLE, _TRIPLE):
            before = sign if sign in (_OPEN, _CLOSE) else _LETTER_C
    good = good and depth == 0 and order == 0
    for ring in range(_MOST_RINGS):
        good = good and open_atom[ring] == _NONE
    for ring in range(_MOST_RINGS if good else 0):
        for row in range(n_closed):
            if closed[row, 0] == ring:
                bonds[m, 0], bonds[m, 1], orders[m] = closed[row, 1], closed[row, 2], closed[row, 3]
                m += 1
    return good, n, number, hydrogens, charge, aromatic, in_bracket, bonds[:m], orders[:m]


@compiled
def _ring_number(text: NDArray[np.uint8], place: int) -> tuple[int, int]:
    """The place behind the number of a ring, and the number; -1 where it is none."""
    if text[place] != _PERCENT:
        return place + 1, int(text[place]) - _0
    if place + 2 >= len(text):
        return place, -1
    tens, ones = int(text[place + 1]) - _0, int(text[place + 2]) - _0
    return place + 3, 10 * tens + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -1


@compiled
def _atom(text: NDArray[np.uint8], place: int) -> tuple[int, int, int, int, bool]:
    """The place behind an atom, its number (0 where it is unknown), hydrogens, charge, and whether it is aromatic."""
    if text[place] == _BRACKET:
        return _in_brackets(text, place + 1)
    place, number, is_aromatic = _organic(text, place)
    return place, number, 0, 0, is_aromatic


@compiled
def _organic(text: NDArray[np.uint8], place: int) -> tuple[int, int, bool]:
    """The place behind an atom without brackets, its atomic number (0 where it is none), and whether it is aromatic."""
    sign, following = text[place], text[place + 1] if place + 1 < len(text) else 0
    if sign == _LETTER_C and following == _L:
        return place + 2, _CL, False
    if sign == _LETTER_B and following == _R:
        return place + 2, _BR, False
    return place + 1, _ONE_LETTER[sign], sign >= _A


@compiled
def _in_brackets(text: NDArray[np.uint8], place: int) -> tuple[int, int, int, int, bool]:
    """Behind `[`: the place behind `]`, atomic number (0 where unknown), hydrogens, charge, and whether aromatic."""
    last = place
    while last < len(text) and text[last] != _BRACKET_END:
        last += 1
    if last == len(text) or last == place:
        return last, 0, 0, 0, False
    sign, following = text[place], text[place + 1]
    number, is_aromatic, hydrogens, charge = 0, False, 0, 0
    if sign == _LETTER_S and following == _LETTER_I:
        number, place = _SI, place + 2
    elif sign == _LETTER_S and following == _E:
        number, place = _SE, place + 2
    else:
        place, number, is_aromatic = _organic(text, place)
    if place < last and text[place] == _LETTER_H:
        hydrogens, place = 1, place + 1
        if place < last and _2 <= text[place] <= _3:
            hydrogens, place = int(text[place]) - _0, place + 1
    if place < last and text[place] in (_PLUS, _SINGLE):
        charge, place = 1 if text[place] == _PLUS else -1, place + 1
    return last + 1, number if place == last else 0, hydrogens, charge, is_aromatic


@compiled
def _ring_bonds(n: int, bonds: Ints) -> Bools:
    """Which bonds (m,) are no bridges: those of a ring. The first bond of each atom but the first leads to it."""
    above, link = np.zeros(n, np.int64), np.zeros(n, np.int64)
    in_ring = np.zeros(len(bonds), np.bool_)
    for bond in range(n - 1):
        above[bonds[bond, 1]], link[bonds[bond, 1]] = bonds[bond, 0], bond
    for bond in range(n - 1, len(bonds)):
        in_ring[bond] = True
        first, second = bonds[bond, 0], bonds[bond, 1]
        # atoms have higher numbers than those above them
        while first != second:
            if first < second:
                first, second = second, first
            in_ring[link[first]] = True
            first = above[first]
    return in_ring


@compiled
def _may_be_aromatic(
    n: int, number: Ints, charge: Ints, aromatic: Bools, bonds: Ints, orders: Ints, in_ring: Bools
) -> bool:
    """Whether a double bond stands in a ring of which no atom is a neutral carbon with single bonds alone.

    Other rings with double bonds are no aromatic ones. Ends of what is left without such carbons are no rings.
    """
    left = np.zeros(n, np.bool_)
    for atom in range(n):
        left[atom] = aromatic[atom] or charge[atom] != 0 or number[atom] not in (_C, _SI)
    for bond in range(len(bonds)):
        if orders[bond] == 20:
            left[bonds[bond, 0]] = left[bonds[bond, 1]] = True
    changed = True
    while changed:
        degree = np.zeros(n, np.int64)
        for bond in range(len(bonds)):
            first, second = bonds[bond, 0], bonds[bond, 1]
            if in_ring[bond] and left[first] and left[second]:
                degree[first] += 1
                degree[second] += 1
        changed = False
        for atom in range(n):
            if left[atom] and degree[atom] < 2:
                left[atom], changed = False, True
    for bond in range(len(bonds)):
        if orders[bond] == 20 and in_ring[bond] and left[bonds[bond, 0]] and left[bonds[bond, 1]]:
            return True
    return False


@compiled
def _with_hydrogens(
    number: Ints, hydrogens: Ints, charge: Ints, aromatic: Bools, in_bracket: Bools, bonds: Ints, orders: Ints, n: int
) -> bool:
    """Set the hydrogens of atoms without brackets; whether all valences are usual ones."""
    n_aromatic, others = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for bond in range(len(bonds)):
        for end in (0, 1):
            atom = bonds[bond, end]
            if orders[bond] == AROMATIC:
                n_aromatic[atom] += 1
            else:
                others[atom] += orders[bond] // 10
        for before in range(bond):
            if bonds[before, 0] == bonds[bond, 0] and bonds[before, 1] == bonds[bond, 1]:
                return False
    for atom in range(n):
        element = number[atom]
        if aromatic[atom]:
            free = others[atom] + hydrogens[atom]
            if n_aromatic[atom] == 3:
                most = 0 if element == _C else 1 if element == _N else -1
                good = free == 0 and 0 <= charge[atom] <= most
            elif element == _C:
                good = charge[atom] == 0 and free <= 2 and not in_bracket[atom]
                hydrogens[atom] = 1 if free == 0 else 0
            elif element == _N:
                good = charge[atom] in (0, 1) and free <= 1
            else:
                good = charge[atom] in (0, 1) and free == 0
            if not good or n_aromatic[atom] not in (2, 3):
                return False
        else:
            valence = others[atom] + hydrogens[atom]
            wanted = _valence(element, charge[atom], valence)
            if wanted < valence or (in_bracket[atom] and wanted != valence):
                return False
            hydrogens[atom] += wanted - valence
    return True


@compiled
def _valence(element: int, charge: int, at_least: int) -> int:
    """The lowest usual valence that is not below another; -1 where there is none."""
    lowest = highest = 0
    if element in (_C, _SI):
        lowest = 4 - abs(charge)
    elif element in (_N, _B):
        lowest = 3 + charge if element == _N else 3 - charge
    elif element in (_O, _SE):
        lowest = 2 + charge
    elif element in (_P, _S):
        lowest = (3 if element == _P else 2) + charge
        highest = 0 if charge else 5 if element == _P else 6
    elif charge == 0:
        lowest = 1
    while lowest < at_least and lowest < highest:
        lowest += 2
    return lowest if lowest >= at_least else -1
