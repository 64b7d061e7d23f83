"""The molecule as it travels through the package."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Molecule:
    """A standardised 2D structure: largest organic fragment, neutralised, canonical, without stereo and isotope labels.

    id           as given in the file, else `record=N`
    smiles       RDKit canonical SMILES without stereo: the only string that an encoder ever sees
    inchikey14   first block of the InChIKey: the identity
    formula      Hill order, with charge where the structure has one, e.g. `C5H12NO2+`
    exact_mass   Da, sum of the atoms' monoisotopic masses (electrons not subtracted)
    name         free text, may be empty
    isomeric_smiles  canonical SMILES with stereo and isotopes as given; equals `smiles` where there are none
    record, line where it stands in its file, 1-based; line 0 where the format has none
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
