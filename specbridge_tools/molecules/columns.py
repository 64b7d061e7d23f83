"""Which column of a table of molecules holds what, by the names that public tables use."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence

from specbridge_tools.errors import DataError

# Each in order of preference, compared without case, blanks and signs: `CompoundName` is `compound_name`.
SMILES_COLUMNS = (
    "smiles",  # PubChem, PubChemLite, MetFrag, MZmine, HMDB, ChEMBL
    "isomeric_smiles",
    "smiles_isomeric",
    "canonical_smiles",  # ChEMBL chemreps, COCONUT 2
    "smiles_canonical",
    "structure_smiles",  # LOTUS
    "absolute_smiles",
    "flat_smiles",
    "structure_smiles_2d",  # LOTUS
    "qsar_ready_smiles",  # CompTox
    "ms_ready_smiles",  # CompTox
    "isosmiles",  # PubChem, download of 2019 to 2024
    "unique_smiles",  # COCONUT 1
    "compound_db_identity_smiles",  # MZmine, feature lists of version 3
    "spectral_db_matches_smiles",
)
INCHI_COLUMNS = (
    "inchi",
    "standard_inchi",  # ChEMBL chemreps, COCONUT 2
    "structure_inchi",  # LOTUS
    "inchi_string",  # CompTox
    "inchi_identifier",  # HMDB SDF
    "inchi_string_dtxcid",  # CompTox for MetFrag
    "compound_db_identity_inchi",
    "spectral_db_matches_inchi",
)
ID_COLUMNS = (
    "id",
    "identifier",  # PubChemLite, MetFrag, COCONUT 2
    "compound_id",
    "database_id",  # HMDB SDF, DrugBank
    "molecule_id",
    "structure_id",
    "accession",  # HMDB
    "cid",  # PubChem
    "pubchem_cid",  # MZmine
    "pubchem_compound_cid",
    "chembl_id",  # ChEMBL, its web page and chemreps
    "molecule_chembl_id",  # ChEMBL web services
    "chebi_id",
    "hmdb_id",
    "lm_id",
    "lipid_maps_id",
    "lotus_id",
    "coconut_id",
    "np_id",
    "dtxsid",  # CompTox
    "dsstox_substance_id",
    "drugbank_id",
    "kegg_id",
    "cas",
    "compound_cid",  # PubChem, download since 2024
    "mapped_dtxsid",  # CompTox for MetFrag: the substance of a structure
    "dtxcid",
    "dtxcid_individual_component",
    "structure_wikidata",  # LOTUS
    "structure_cid",
    "pubchem_id",
    "casrn",  # CompTox
)
NAME_COLUMNS = (
    "name",  # PubChem since 2024, ChEMBL, COCONUT, HMDB, MZmine
    "compound_name",  # PubChemLite, MetFrag, MZmine
    "molecule_name",
    "generic_name",  # HMDB SDF, DrugBank
    "common_name",
    "pref_name",  # ChEMBL web services
    "preferred_name",  # CompTox
    "title",  # PubChem services
    "iupac_name",
    "systematic_name",
    "cmpdname",  # PubChem, download of 2019 to 2024
    "preferred_name_dtxsid",  # CompTox for MetFrag
    "structure_name_traditional",  # LOTUS
    "compound_db_identity_compound_name",  # MZmine, feature lists of version 3
    "spectral_db_matches_compound_name",
    "structure_name_iupac",  # LOTUS
)


@dataclasses.dataclass(frozen=True)
class Columns:
    """Positions of the columns in a row: of each kind those whose names are known, the first with a value counts.

    Attributes:
        structures: Of SMILES, then of InChI; at least one.
        id: Of ids.
        name: Of names.
    """

    structures: tuple[int, ...]
    id: tuple[int, ...]
    name: tuple[int, ...]


def normalised(name: str) -> str:
    """`PubChem CID`, `pubchem-cid`, `#PUBCHEM_CID` -> `pubchem_cid`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def pick(names: Sequence[str], wanted: Iterable[str]) -> tuple[int, ...]:
    """Positions in `names` of all that are `wanted`, in the order of `wanted`."""
    positions: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        positions.setdefault(column_key(name), []).append(position)
    found = [position for name in wanted for position in positions.get(column_key(name), ())]
    return tuple(dict.fromkeys(found))


def column_key(name: str) -> str:
    """What is compared of a column's name: `CompoundName` and `compound_name` -> `compoundname`."""
    return normalised(name).replace("_", "")


def is_structure_name(name: str) -> bool:
    """Whether a header cell is the name of a column of structures that is known."""
    return bool(pick([name], SMILES_COLUMNS + INCHI_COLUMNS))


def structure_positions(header: Iterable[str], smiles_column: str | None = None) -> tuple[int, ...]:
    """Positions of the columns of structures, the one asked for or those that are known; may be none."""
    header = [cell.strip().strip('"') for cell in header]
    names = [normalised(cell) for cell in header]
    if smiles_column is not None:
        exact = [position for position, cell in enumerate(header) if cell == smiles_column]
        return tuple(exact or (i for i, name in enumerate(names) if name == normalised(smiles_column)))[:1]
    return (pick(names, SMILES_COLUMNS) or tuple(_like_smiles(names))) + pick(names, INCHI_COLUMNS)


def _like_smiles(names: Sequence[str]) -> Iterator[int]:
    return (i for i, name in enumerate(names) if name.endswith("smiles") or name.startswith("smiles_"))


def find_columns(header: Sequence[str], *, smiles_column: str | None = None, where: str | None = None) -> Columns:
    """The columns of a table with these header cells.

    Args:
        header: The cells as they are in the file.
        smiles_column: The column of the structures (SMILES or InChI), in upper or lower case.
        where: The file to name.

    Raises:
        DataError: There is no such column, or the one asked for is missing; the message lists the columns.
    """
    structures = structure_positions(header, smiles_column)
    if not structures:
        wanted = "column of SMILES or InChI" if smiles_column is None else f"column {smiles_column!r}"
        raise DataError(
            f"has no {wanted}; its columns: {', '.join(header) or 'none'}",
            where=where,
            advice="--smiles-column names it",
        )
    names = [normalised(cell) for cell in header]
    return Columns(structures, pick(names, ID_COLUMNS), pick(names, NAME_COLUMNS))
