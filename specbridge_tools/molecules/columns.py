"""Which column of a table of molecules holds what, by the names that public tables use."""

import dataclasses
import re

from specbridge_tools.errors import DataError

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
    "dsstox_substance_id",
    "drugbank_id",
    "kegg_id",
    "cas",
)
NAME_COLUMNS = (
    "name",
    "compound_name",
    "molecule_name",
    "generic_name",
    "common_name",
    "pref_name",
    "preferred_name",
    "title",
    "iupac_name",
    "systematic_name",
)


@dataclasses.dataclass(frozen=True)
class Columns:
    """Positions of the columns in a row, None where there is none; at least one of smiles and inchi is there."""

    smiles: int | None
    inchi: int | None
    id: int | None
    name: int | None


def normalised(name):
    """`PubChem CID`, `pubchem-cid`, `#PUBCHEM_CID` -> `pubchem_cid`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def pick(names, wanted):
    """Position in `names` of the first of `wanted`, or None; both as `normalised` spells them."""
    return next((names.index(name) for name in wanted if name in names), None)


def has_structures(cells, smiles_column=None):
    """Whether header cells name a column of structures, or the one asked for."""
    names = [normalised(cell.strip('"')) for cell in cells]
    if smiles_column is not None:
        return normalised(smiles_column) in names
    return _smiles_position(names) is not None or pick(names, INCHI_COLUMNS) is not None


def _smiles_position(names):
    position = pick(names, SMILES_COLUMNS)
    if position is not None:
        return position
    return next((i for i, name in enumerate(names) if name.endswith("smiles") or name.startswith("smiles_")), None)


def find_columns(header, *, smiles_column=None, where=None):
    """The columns of a table with these header cells.

    `smiles_column` names the column of the structures (SMILES or InChI), in any case. Raises `DataError`, which lists
    the columns, where there is none or where the one asked for is missing.
    """
    names = [normalised(cell) for cell in header]
    if smiles_column is not None:
        smiles, inchi = _named(header, names, smiles_column), None
    else:
        smiles = _smiles_position(names)
        inchi = pick(names, INCHI_COLUMNS)
    if smiles is None and inchi is None:
        wanted = "a column of SMILES or InChI" if smiles_column is None else f"column {smiles_column!r}"
        raise DataError(
            f"has no {wanted.removeprefix('a ')}; its columns: {', '.join(header) or 'none'}",
            where=where,
            advice="--smiles-column names it",
        )
    return Columns(smiles, inchi, pick(names, ID_COLUMNS), pick(names, NAME_COLUMNS))


def _named(header, names, column):
    if column in header:
        return header.index(column)
    return pick(names, (normalised(column),))
