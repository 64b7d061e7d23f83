"""The molecule as it travels through the package."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from specbridge_tools.records import Noted


class StandardForm(NamedTuple):
    """What every spelling of a structure has in common; fields as in `Molecule`.

    Attributes:
        counts: Morgan counts {bit: count} of the SMILES, where they were asked for.
    """

    smiles: str
    inchikey14: str
    formula: str
    exact_mass: float
    isomeric_smiles: str
    counts: dict[int, int] | None = None


@dataclasses.dataclass(frozen=True)
class Molecule(Noted):
    """A standardised 2D structure: largest organic fragment, neutralised, canonical, without stereo and isotope labels.

    Attributes:
        id: As given in the file, else `record=N`.
        smiles: RDKit canonical SMILES without stereo: the only string that an encoder ever sees.
        inchikey14: First block of the InChIKey: the identity.
        formula: Hill order, with charge where the structure has one, e.g. `C5H12NO2+`.
        exact_mass: Da, sum of the atoms' monoisotopic masses (electrons not subtracted).
        name: Free text, may be empty.
        isomeric_smiles: Canonical SMILES with stereo and isotopes as given; equals `smiles` where there are none.
        record: Its number in the file, 1-based.
        line: Its first line in the file, 1-based; 0 where the format has no lines.
        counts: Those that were asked for, as text (`molecules.counts`).
        notes: What standardising did about it that is to be counted: `metals.COMPLEX`.
    """

    id: str
    smiles: str
    inchikey14: str
    formula: str
    exact_mass: float
    name: str = ""
    isomeric_smiles: str = ""
    record: int = 0
    line: int = 0
    notes: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
