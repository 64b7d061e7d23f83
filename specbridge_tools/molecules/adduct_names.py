"""One canonical name for each ion: a function of what the ion is made of, never of how a file spelled it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from typing import TypeAlias

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.adduct_grammar import CARRIER_CHARGE, Ion

_Kind: TypeAlias = tuple[str, tuple[tuple[str, int], ...]]
"""A neutral part: its name and its atoms."""
_Parts: TypeAlias = list[tuple[str, int]]
"""What is gained or, with a negative count, lost."""

# What is gained or lost whole, in the order in which it is looked for.
_NEUTRALS: tuple[_Kind, ...] = (
    ("H2O", (("H", 2), ("O", 1))),
    ("NH3", (("N", 1), ("H", 3))),
    ("CO2", (("C", 1), ("O", 2))),
    ("CO", (("C", 1), ("O", 1))),
    ("CH3OH", (("C", 1), ("H", 4), ("O", 1))),
    ("ACN", (("C", 2), ("H", 3), ("N", 1))),
    ("HCOOH", (("C", 1), ("H", 2), ("O", 2))),
    ("CH3COOH", (("C", 2), ("H", 4), ("O", 2))),
    ("CF3COOH", (("C", 2), ("H", 1), ("F", 3), ("O", 2))),
    ("DMSO", (("C", 2), ("H", 6), ("O", 1), ("S", 1))),
    ("C3H8O", (("C", 3), ("H", 8), ("O", 1))),
    ("HF", (("H", 1), ("F", 1))),
    ("HCl", (("H", 1), ("Cl", 1))),
    ("HBr", (("H", 1), ("Br", 1))),
    ("HI", (("H", 1), ("I", 1))),
    ("SO3", (("S", 1), ("O", 3))),
    ("H3PO4", (("H", 3), ("P", 1), ("O", 4))),
)
_ACIDS = {"HCOOH": "HCOO", "CH3COOH": "CH3COO", "CF3COOH": "CF3COO"}
# What a radical ion has lost or gained. Not the acids: beside a negative charge their names mean their anions.
_RADICALS: tuple[_Kind, ...] = (
    *(neutral for neutral in _NEUTRALS if neutral[0] not in _ACIDS),
    ("CH3", (("C", 1), ("H", 3))),
    ("NO2", (("N", 1), ("O", 2))),
)
_VALENCE_ODD = ("H", "N", "P", "F", "Cl", "Br", "I", "B", "Al")
_COUNTS = (1, 2, 3, 4, 5, 6)


def canonical_name(ion: Ion) -> str:
    """The name: `[nM`, losses, gains, protons, charge carriers, `]`, charge.

    Raises:
        DataError: The ion is impossible.
    """
    atoms = dict(ion.composition)
    carriers = {e: atoms.pop(e) for e in sorted(atoms) if e in CARRIER_CHARGE and atoms[e] > 0}
    brought = sum(CARRIER_CHARGE[element] * count for element, count in carriers.items())
    protons = ion.charge - brought
    hydrogens = atoms.pop("H", 0)
    if not atoms:
        if brought + hydrogens > 0 > ion.charge:
            raise DataError("it cannot be negative")
        parts: _Parts = []
        protons = hydrogens
    else:
        parts, protons = _neutral_parts(atoms | {"H": hydrogens}, protons)
    parts, protons = _with_carried_proton(parts, protons)
    parts = [part for part in parts if part[1] < 0] + [part for part in parts if part[1] > 0]
    ions = [(name, count) for name, count in parts if name == "NH4" or name in _ACIDS.values()]
    rest = [part for part in parts if part not in ions]
    body = "".join(_signed(*part) for part in (*rest, ("H", protons), *ions, *carriers.items()) if part[1])
    size = "" if abs(ion.charge) == 1 else str(abs(ion.charge))
    molecules = "" if ion.n_molecules == 1 else str(ion.n_molecules)
    return f"[{molecules}M{body}]{size}{'+' if ion.charge > 0 else '-'}"


def _neutral_parts(atoms: Mapping[str, int], protons: int) -> tuple[_Parts, int]:
    """Split `atoms` into neutral parts and a number of protons."""
    without = {element: count for element, count in {**atoms, "H": atoms["H"] - protons}.items() if count}
    atoms = {element: count for element, count in atoms.items() if count}
    if known := _known_parts(without, _NEUTRALS):
        return known, protons
    if known := _known_parts(atoms, _RADICALS):
        return known, 0
    # whole molecules have an even number of atoms of odd valence; what has not is a radical, written as it is
    if sum(count for element, count in without.items() if element in _VALENCE_ODD) % 2:
        without, protons = atoms, 0
    lost = {element: -count for element, count in without.items() if count < 0}
    gained = {element: count for element, count in without.items() if count > 0}
    return [(_hill(made), sign) for made, sign in ((lost, -1), (gained, 1)) if made], protons


def _known_parts(atoms: Mapping[str, int], kinds: tuple[_Kind, ...]) -> _Parts | None:
    """`atoms` as up to two kinds of `kinds`, all lost or all gained; None when they are not."""
    sign = 1 if all(count > 0 for count in atoms.values()) else -1
    parts = _sums(kinds).get(frozenset((element, sign * count) for element, count in atoms.items()))
    return None if parts is None else [(name, sign * count) for name, count in parts]


@functools.cache
def _sums(kinds: tuple[_Kind, ...]) -> dict[frozenset[tuple[str, int]], tuple[tuple[str, int], ...]]:
    """Atoms -> the parts that they make up, for each sum of one or two kinds; the simplest, first listed parts win."""
    sums: dict[frozenset[tuple[str, int]], tuple[tuple[str, int], ...]] = {}
    for n_kinds in (1, 2):
        for chosen in itertools.combinations(kinds, n_kinds):
            for counts in itertools.product(_COUNTS, repeat=n_kinds):
                atoms: dict[str, int] = {}
                for (_, made), count in zip(chosen, counts, strict=True):
                    for element, n in made:
                        atoms[element] = atoms.get(element, 0) + count * n
                parts = tuple((name, count) for (name, _), count in zip(chosen, counts, strict=True))
                sums.setdefault(frozenset(atoms.items()), parts)
    return sums


def _with_carried_proton(parts: _Parts, protons: int) -> tuple[_Parts, int]:
    """Write ammonia with a proton as NH4, and an acid that has lost its proton as the anion."""
    for index, (name, count) in enumerate(parts):
        if name == "NH3" and count == 1 and protons >= 1:
            return [*parts[:index], ("NH4", 1), *parts[index + 1 :]], protons - 1
        if name in _ACIDS and count == 1 and protons <= -1:
            return [*parts[:index], (_ACIDS[name], 1), *parts[index + 1 :]], protons + 1
    return parts, protons


def _hill(counts: Mapping[str, int]) -> str:
    first = ("C", "H") if "C" in counts else ()
    order = [e for e in first if e in counts] + sorted(e for e in counts if e not in first)
    return "".join(element + (str(counts[element]) if counts[element] > 1 else "") for element in order)


def _signed(name: str, count: int) -> str:
    size = "" if abs(count) == 1 else str(abs(count))
    name = f"({name})" if size and name[0].isdigit() else name
    return f"{'+' if count > 0 else '-'}{size}{name}"
