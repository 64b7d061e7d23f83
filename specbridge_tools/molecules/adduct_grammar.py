"""The grammar of adduct names: text -> molecules, atoms gained or lost, charge."""

from __future__ import annotations

import collections
import re
import unicodedata
from typing import NamedTuple

from specbridge_tools.constants import ATOM_MASS, ISOTOPE_MASS
from specbridge_tools.errors import DataError

_ABBREVIATION = {
    **dict.fromkeys(("FA", "Fa", "HFA", "Formicacid"), "HCOOH"),
    **dict.fromkeys(("HAc", "Hac", "HAC", "HOAc", "AcOH", "Ac", "AA", "Aceticacid"), "CH3COOH"),
    **dict.fromkeys(("TFA", "HTFA"), "CF3COOH"),
    **dict.fromkeys(("Formate", "formate", "For"), "HCOO"),
    **dict.fromkeys(("OAc", "AcO", "Acetate", "acetate", "Oac"), "CH3COO"),
    **dict.fromkeys(("ACN", "MeCN", "Acn"), "CH3CN"),
    **dict.fromkeys(("MeOH", "Methanol"), "CH3OH"),
    **dict.fromkeys(("EtOH", "Ethanol"), "C2H5OH"),
    **dict.fromkeys(("IPA", "IsoProp", "isoProp", "Isoprop", "iPrOH"), "C3H8O"),
    **dict.fromkeys(("DMSO", "Dmso"), "C2H6OS"),
    **dict.fromkeys(("Cl35", "35Cl"), "Cl"),
    **dict.fromkeys(("Br79", "79Br"), "Br"),
    **dict.fromkeys(("Cl37", "37Cl"), "37Cl"),
    **dict.fromkeys(("Br81", "81Br"), "81Br"),
    **dict.fromkeys(("e", "electron"), "e"),
}
_ACIDS = ("HCOOH", "CH3COOH", "CF3COOH")
CARRIER_CHARGE = {
    **dict.fromkeys(("Li", "Na", "K", "Rb", "Cs", "Ag", "Au", "Tl"), 1),
    **dict.fromkeys(("Mg", "Ca", "Mn", "Fe", "Co", "Ni", "Cu", "Zn"), 2),
    **dict.fromkeys(("Sr", "Pd", "Cd", "Sn", "Ba", "Pt", "Hg", "Pb"), 2),
    **dict.fromkeys(("Al", "V", "Cr", "Ga", "Ru", "Rh", "In", "Bi"), 3),
    **dict.fromkeys(("La", "Ce", "Eu", "Gd", "Tb", "Yb"), 3),
    **dict.fromkeys(("Ti", "Mo", "U"), 4),
    **dict.fromkeys(("Cl", "Br", "I", "37Cl", "81Br"), -1),
}
_PART_CHARGE = {
    **CARRIER_CHARGE,
    **dict.fromkeys(("H", "NH4"), 1),
    **dict.fromkeys(("e", "HCOO", "HCO2", "CHO2", "CH3COO", "CH3CO2", "C2H3O2", "CF3COO", "CF3CO2", "C2F3O2"), -1),
}
_ISOTOPES = "35Cl|37Cl|79Br|81Br|Cl35|Cl37|Br79|Br81"
_CHARGE = re.compile(r"(\d{0,2})(\++|-+)(\d{0,2})")
_PART = re.compile(
    rf"(?P<sign>[+-])(?:(?P<isotope>{_ISOTOPES})"
    r"|(?P<count>\d{0,2})(?:\((?P<group>[A-Za-z0-9]+)\)(?P<times>\d?)|(?P<token>[A-Za-z][A-Za-z0-9]*)))"
)
_ELEMENT = re.compile(r"([A-Z][a-z]?)(\d{0,3})")
_CLUSTER = re.compile(r"\(([^()]+)\)([+-].+)")
_MOST_ATOMS = 9  # of one element, alone in a part
_MOST_LITHIUM = 5
_RADICAL_MARKS = str.maketrans("", "", ".*•·∙˙^")
_DASHES = str.maketrans("−–—‐‑⁻", "------")


class Ion(NamedTuple):
    """What an adduct name means; `composition` holds sorted (element, count) pairs, counts of either sign, not 0."""

    n_molecules: int
    composition: tuple[tuple[str, int], ...]
    charge: int


class _Body(NamedTuple):
    """What stands in an adduct's brackets; `cations_only`: it gains cations, maybe neutrals, and nothing else."""

    n_molecules: int
    composition: collections.Counter[str]
    usual_charge: int
    acids: bool
    cations_only: bool


def read_adduct(text: str) -> Ion:
    """Parse an adduct name.

    Raises:
        DataError: It names no adduct; the message says why.
    """
    text = unicodedata.normalize("NFKC", text.translate(_RADICAL_MARKS)).translate(_DASHES)
    text = "".join(text.split())
    if enclosed := re.fullmatch(r"\[(.*)\](.*)|\((.*)\)((?:\d*[+-]+)?\d*)", text):
        inner, tail = (part for part in enclosed.groups() if part is not None)
        if tail:
            return _ion(inner.rstrip("+-"), _charge(tail))
        text = inner
    return _bare(text)


def _bare(text: str) -> Ion:
    """A name without brackets, or without a charge after them: `M+H`, `M+H+`, `M+2H2+`, `MH+`, `M+NH4+`."""
    failure = DataError("it has no charge")
    for pattern, trust in ((r"(.*?[^+-])()", True), (r"(.*?[^+-])([+-]+)", False), (r"(.*?)(\d[+-])", False)):
        try:
            if (split := re.fullmatch(pattern, text)) and (usual := _body(split[1]).usual_charge):
                charge = _charge(split[2]) if split[2] else usual
                if trust or charge == usual or (split[2] in ("+", "-") and charge * usual > 0):
                    return _ion(split[1], usual)
        except DataError as error:
            failure = error
    if split := re.fullmatch(r"(.*?[^+-])([+-]+)", text):
        return _ion(split[1], _charge(split[2]))
    raise failure


def _charge(text: str) -> int:
    match = _CHARGE.fullmatch(text)
    if not match or (match[1] and match[3]):
        raise DataError(f"{text!r} is not a charge")
    digits = match[1] or match[3]
    size = int(digits) if digits else len(match[2])
    if (digits and len(match[2]) > 1) or not 1 <= size <= 30:
        raise DataError(f"{text!r} is not a charge")
    return size if match[2][0] == "+" else -size


def _ion(text: str, charge: int) -> Ion:
    body = _body(text)
    if body.cations_only and charge < 0:
        raise DataError("it cannot be negative")
    if any(body.composition[isotope] < 0 for isotope in ISOTOPE_MASS):
        raise DataError("a rare isotope can only be gained")
    composition = body.composition
    # an acid named beside a negative charge, without its proton taken away, means the acid's anion
    if charge < 0 and body.acids and body.usual_charge == charge + 1:
        composition["H"] -= 1
    return Ion(body.n_molecules, tuple(sorted((e, n) for e, n in composition.items() if n)), charge)


def _body(text: str) -> _Body:
    if cluster := _CLUSTER.fullmatch(text):
        # M and neutral molecules, as MassBank writes them: `(M+NH3)+H`
        if _body(cluster[1]).usual_charge:
            raise DataError(f"{cluster[1]!r} in parentheses is no neutral")
        text = cluster[1] + cluster[2]
    match = re.fullmatch(r"(\d?)(?:Cation|Cat|M)(?![a-z])(.*)", text)
    if not match or match[1] == "0":
        raise DataError("there is no M in it")
    rest = match[2] if not match[2] or match[2][0] in "+-" else "+" + match[2]
    composition: collections.Counter[str] = collections.Counter()
    charge, acids, end = 0, 0, 0
    n_cations, n_others = 0, 0
    while end < len(rest):
        part = _PART.match(rest, end)
        if not part:
            raise DataError(f"{rest[end:]!r} is not understood")
        token = part["isotope"] or part["group"] or part["token"]
        count = int(part["count"] or 1) * int(part["times"] or 1) * (1 if part["sign"] == "+" else -1)
        token = _ABBREVIATION.get(token, token)
        _refuse_isotope(token, int(part["count"] or 1))
        for element, number in _elements(token).items():
            composition[element] += number * count
        carried = _PART_CHARGE.get(token, 0) * count
        charge += carried if count > 0 or token == "H" else min(carried, 0)  # what loses chloride need not be a cation
        n_cations += carried > 0 and count > 0
        n_others += carried < 0 or count < 0
        acids += count if token in _ACIDS else 0
        end = part.end()
    return _Body(int(match[1] or 1), composition, charge, acids > 0, n_cations > 0 and not n_others)


def _refuse_isotope(token: str, count: int) -> None:
    """Refuse `13C`, `C13`, `15N`, `34S`, `6Li`: a number as high as an isotope's mass counts no atoms of one element.

    Raises:
        DataError: It is an isotope that no name of ours can hold.
    """
    element = _ELEMENT.fullmatch(token)
    if element is None or element[1] in ("H", "M"):
        return
    most = _MOST_LITHIUM if element[1] == "Li" else _MOST_ATOMS
    if max(count, int(element[2] or 1)) > most:
        raise DataError(
            f"{count if count > 1 else ''}{token} is an isotope, and those other than of Cl and Br are not known"
        )


def _elements(formula: str) -> dict[str, int]:
    if formula in ISOTOPE_MASS:
        return {formula: 1}
    counts: collections.Counter[str] = collections.Counter()
    end = 0
    if formula == "e":
        return counts
    for match in _ELEMENT.finditer(formula):
        if match.start() != end or match[1] not in ATOM_MASS:
            break
        counts[match[1]] += int(match[2] or 1)
        end = match.end()
    if end != len(formula):
        raise DataError(f"{formula!r} is not a formula")
    return counts
