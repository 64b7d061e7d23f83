"""The library that ships as a table."""

from __future__ import annotations

from typing import TextIO

from specbridge_tools.library.packed import MoleculeColumns

_COLUMNS = ("inchikey14", "smiles", "formula", "exact_mass", "name", "id", "sources")


def export_table(molecules: MoleculeColumns, stream: TextIO) -> None:
    """Write TSV, a row for each molecule by ascending mass; `exact_mass` in Da with five decimals."""
    stream.write("\t".join(_COLUMNS) + "\n")
    cells = dict(molecules.texts) | {"exact_mass": [f"{mass:.5f}" for mass in molecules.exact_mass]}
    for row in zip(*(cells[name] for name in _COLUMNS), strict=True):
        stream.write("\t".join(row) + "\n")
