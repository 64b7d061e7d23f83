"""Molecular formulas: reading, writing in Hill order, mass. Needs no rdkit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from specbridge_tools.constants import ATOM_MASS
from specbridge_tools.errors import DataError

_TOKEN = re.compile(r"(?P<open>\()|(?:(?P<symbol>[A-Z][a-z]?)|(?P<close>\)))(?P<times>\d{0,6})")
_CHARGE = re.compile(r"(?P<signs>\++|-+)(?P<after>\d{0,3})$")
_BRACKETS = re.compile(r"\[(?P<inside>[^\[\]]+)\](?P<charge>(?P<before>\d{0,3})(?P<sign>\++|-+)?(?P<after>\d{0,3}))$")


def parse_formula(text: str) -> tuple[dict[str, int], int]:
    """`C5H12NO2+`, `[C5H12NO2]+`, `Ca(C2H3O2)2`, `C6H16N2+2`, `[C6H16N2]2+` -> ({symbol: count}, charge).

    Counts are never 0. Isotope labels are not read.

    Raises:
        DataError: It is not a formula.
    """
    body, charge = _split_charge(text.replace(" ", ""))
    groups: list[Counter[str]] = [Counter()]
    position = 0
    while position < len(body):
        match = _TOKEN.match(body, position)
        if match is None or (match["close"] and len(groups) == 1):
            raise _not_a_formula(text)
        position = match.end()
        if match["open"]:
            groups.append(Counter())
            continue
        added: Mapping[str, int] = groups.pop() if match["close"] else {match["symbol"]: 1}
        for symbol, count in added.items():
            groups[-1][symbol] += count * int(match["times"] or 1)
    atoms = {symbol: count for symbol, count in groups[0].items() if count}
    if len(groups) > 1 or not atoms:
        raise _not_a_formula(text)
    return atoms, charge


def _not_a_formula(text: str) -> DataError:
    return DataError(f"{text!r} is not a molecular formula")


def _split_charge(text: str) -> tuple[str, int]:
    if match := _BRACKETS.match(text):
        signs = match["sign"] or ""
        size = int(match["before"] or match["after"] or len(signs) or 0)
        return match["inside"], size * (-1 if signs[:1] == "-" else 1) if signs else 0
    if match := _CHARGE.search(text):
        size = int(match["after"] or len(match["signs"]))
        return text[: match.start()], size * (-1 if match["signs"][0] == "-" else 1)
    return text, 0


def hill(atoms: Mapping[str, int], charge: int = 0) -> str:
    """{symbol: count} -> formula in Hill order: carbon, hydrogen, the others by alphabet; charge as `+`, `+2`, `-`."""
    first = ("C", "H") if atoms.get("C") else ()
    symbols = [*first, *sorted(set(atoms) - set(first))]
    body = "".join(f"{symbol}{atoms[symbol] if atoms[symbol] > 1 else ''}" for symbol in symbols if atoms.get(symbol))
    if not charge:
        return body
    return f"{body}{'+' if charge > 0 else '-'}{abs(charge) if abs(charge) > 1 else ''}"


def mass_of_formula(text: str) -> float:
    """Exact mass (Da) of a formula: the sum of its atoms, electrons not subtracted, most abundant isotopes.

    Raises:
        DataError: It is not a formula, or has an element without a known mass.
    """
    atoms, _ = parse_formula(text)
    unknown = sorted(set(atoms) - set(ATOM_MASS))
    if unknown:
        raise DataError(f"no mass for {', '.join(unknown)} in formula {text!r}")
    return sum(ATOM_MASS[symbol] * count for symbol, count in atoms.items())


def plain_formula(text: str) -> str:
    """A formula in any spelling -> Hill order without its charge: files differ in whether they write it.

    Raises:
        DataError: It is not a formula, or has an element without a known mass.
    """
    mass_of_formula(text)
    return hill(parse_formula(text)[0])
