"""Which column of a table of molecules holds what, by the names that public tables use."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.raw import one_line

# in order of preference, as `normalised` spells them
SMILES_COLUMNS = (
    "smiles",
    "isomeric_smiles",
    "isomericsmiles",
    "smiles_isomeric",
    "canonical_smiles",
    "canonicalsmiles",
    "smiles_canonical",
    "structure_smiles",
    "absolute_smiles",
    "flat_smiles",
    "structure_smiles_2d",
    "qsar_ready_smiles",
    "ms_ready_smiles",
)
INCHI_COLUMNS = ("inchi", "standard_inchi", "structure_inchi", "inchi_string", "standardinchi")
ID_COLUMNS = (
    "id",
    "identifier",
    "compound_id",
    "database_id",
    "molecule_id",
    "structure_id",
    "accession",
    "cid",
    "pubchem_cid",
    "pubchem_compound_cid",
    "compound_cid",  # PubChem's downloads
    "chembl_id",
    "molecule_chembl_id",
    "chebi_id",
    "hmdb_id",
    "lm_id",
    "lipid_maps_id",
    "lotus_id",
    "coconut_id",
    "np_id",
    "dtxsid",
    "mapped_dtxsid",  # CompTox's files for MetFrag
    "dsstox_substance_id",
    "drugbank_id",
    "kegg_id",
    "cas",
)
NAME_COLUMNS = (
    "name",
    "compound_name",
    "compoundname",  # PubChemLite, MetFrag
    "cmpdname",  # PubChem's downloads
    "molecule_name",
    "generic_name",
    "common_name",
    "pref_name",
    "preferred_name",
    "preferred_name_dtxsid",  # CompTox's files for MetFrag
    "title",
    "iupac_name",
    "systematic_name",
)


# what R, Python and people write where a value is missing
_MISSING = frozenset({"na", "n/a", "nan", "none", "null", "-"})


def value_of(cell: str) -> str:
    """The value of a cell, '' for each way to write that it is missing."""
    text = one_line(cell)
    return "" if text.lower() in _MISSING else text


@dataclasses.dataclass(frozen=True)
class Columns:
    """Positions of the columns in a row, None where there is none; a table has at least one of smiles and inchi."""

    smiles: int | None
    inchi: int | None
    id: int | None
    name: int | None


def normalised(name: str) -> str:
    """`PubChem CID`, `pubchem-cid`, `#PUBCHEM_CID` -> `pubchem_cid`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def pick(names: Sequence[str], wanted: Iterable[str]) -> int | None:
    """Position in `names` of the first of `wanted`, or None; both as `normalised` spells them."""
    return next((names.index(name) for name in wanted if name in names), None)


def has_structures(cells: Iterable[str], smiles_column: str | None = None) -> bool:
    """Whether the header cells name a column of structures, or the one asked for."""
    names = [normalised(cell.strip('"')) for cell in cells]
    if smiles_column is not None:
        return normalised(smiles_column) in names
    return _smiles_position(names) is not None or pick(names, INCHI_COLUMNS) is not None


def _smiles_position(names: Sequence[str]) -> int | None:
    position = pick(names, SMILES_COLUMNS)
    if position is not None:
        return position
    return next((i for i, name in enumerate(names) if name.endswith("smiles") or name.startswith("smiles_")), None)


def find_columns(header: Sequence[str], *, smiles_column: str | None = None, where: str | None = None) -> Columns:
    """The columns of a table with these header cells.

    Args:
        header: The cells as they are in the file.
        smiles_column: The column of the structures (SMILES or InChI), in upper or lower case.
        where: The file to name.

    Raises:
        DataError: There is no such column, or the one asked for is missing; the message lists the columns.
    """
    names = [normalised(cell) for cell in header]
    smiles = _smiles_position(names) if smiles_column is None else _named(header, names, smiles_column)
    inchi = pick(names, INCHI_COLUMNS) if smiles_column is None else None
    if smiles is None and inchi is None:
        wanted = "column of SMILES or InChI" if smiles_column is None else f"column {smiles_column!r}"
        raise DataError(
            f"has no {wanted}; its columns: {', '.join(header) or 'none'}",
            where=where,
            advice="--smiles-column names it",
        )
    return Columns(smiles, inchi, pick(names, ID_COLUMNS), pick(names, NAME_COLUMNS))


def _named(header: Sequence[str], names: Sequence[str], column: str) -> int | None:
    if column in header:
        return header.index(column)
    return pick(names, (normalised(column),))
