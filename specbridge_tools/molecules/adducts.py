"""Adducts: names as the field spells them, and the arithmetic between a neutral mass and a precursor m/z."""

import dataclasses
import functools
import re

from specbridge_tools.constants import ELECTRON_MASS
from specbridge_tools.errors import DataError

# Exact masses (Da) of what an adduct adds or takes, neutral atoms: IUPAC/AME2020.
_PART_MASS = {
    "H": 1.00782503190,
    "Li": 7.0160034366,
    "Na": 22.9897692820,
    "K": 38.9637064864,
    "NH4": 18.0343741332,
    "NH3": 17.0265491013,
    "Cl": 34.968852682,
    "Br": 78.9183376,
    "H2O": 18.0105646837,
    "CO2": 43.9898292391,
    "HCOOH": 46.0054793029,
    "HCOO": 44.9976542710,
    "CH3COOH": 60.0211293667,
    "CH3COO": 59.0133043348,
    "CF3COO": 112.9850385,
    "CH3OH": 32.0262147475,
    "ACN": 41.0265491013,
    "DMSO": 78.0139355,
    "IPA": 60.0575148756,
}
_PART_SPELLING = {
    "FA": "HCOOH",
    "HCO2H": "HCOOH",
    "CH2O2": "HCOOH",
    "HCO2": "HCOO",
    "CHO2": "HCOO",
    "Hac": "CH3COOH",
    "HAc": "CH3COOH",
    "AcOH": "CH3COOH",
    "C2H4O2": "CH3COOH",
    "OAc": "CH3COO",
    "Ac": "CH3COO",
    "C2H3O2": "CH3COO",
    "CH3CO2": "CH3COO",
    "TFA": "CF3COO",
    "MeOH": "CH3OH",
    "CH4O": "CH3OH",
    "CH3CN": "ACN",
    "C2H3N": "ACN",
    "NH4+": "NH4",
    "IsoProp": "IPA",
}


@dataclasses.dataclass(frozen=True)
class Adduct:
    """`n_molecules` molecules plus `mass_shift` (Da, the electrons that were lost or gained counted) with `charge`."""

    name: str
    n_molecules: int
    charge: int
    mass_shift: float

    def neutral_mass(self, precursor_mz):
        """Exact mass (Da) of the molecule whose ion of this kind has `precursor_mz`."""
        return (precursor_mz * abs(self.charge) - self.mass_shift) / self.n_molecules

    def precursor_mz(self, exact_mass):
        """m/z of this ion of a molecule of `exact_mass` (Da)."""
        return (self.n_molecules * exact_mass + self.mass_shift) / abs(self.charge)


def parse_adduct(text):
    """The adduct that `text` names, in any of the field's spellings; raises `DataError` when unknown."""
    raise NotImplementedError


def adducts_of(spectrum):
    """The adducts to search for: the one that the spectrum names, or the default hypotheses."""
    raise NotImplementedError
