"""From the mass of a fragment to the m/z of its ions."""

import dataclasses

import numpy as np

from specbridge_tools.constants import ATOM_MASS, ELECTRON_MASS, HYDROGEN_MASS
from specbridge_tools.molecules.adducts import adducts_of, parse_adduct

SHIFTS = np.arange(-4, 5)
N_SHIFTS = len(SHIFTS)
# an adduct's metal can stay on a fragment, in place of a hydrogen
_METALS = {"[M+Na]+": "Na", "[M+K]+": "K", "[M+Li]+": "Li"}
# what the whole molecule has more or less than its own hydrogens, as the precursor ion
_PRECURSOR_SHIFT = {
    "[M+H]+": 1,
    "[M+NH4]+": 1,
    "[M+Na]+": 1,
    "[M+K]+": 1,
    "[M+Li]+": 1,
    "[M]+": 0,
    "[M-H]-": -1,
    "[M]-": 0,
}


@dataclasses.dataclass(frozen=True)
class IonKind:
    """How fragments of a precursor carry their charge.

    adduct           name of the precursor's adduct
    polarity         +1 or -1: fragment ions are taken as singly charged
    metal_mass       Da, mass of a metal that may replace one hydrogen, or 0
    precursor_shift  hydrogens that the precursor has more than the molecule (the metal counts as one), or None where
                     it is not the molecule and hydrogens alone
    """

    adduct: str
    polarity: int
    metal_mass: float = 0.0
    precursor_shift: int | None = None

    def carriers(self):
        """Masses (Da) that are added to a fragment beside its hydrogens: 0, and the metal less a hydrogen."""
        return (0.0, self.metal_mass - HYDROGEN_MASS) if self.metal_mass else (0.0,)

    def mz(self, masses, shift, carrier=0):
        """m/z of the ions of fragments of `masses` (Da) with `shift` hydrogens more."""
        return masses + shift * HYDROGEN_MASS + self.carriers()[carrier] - self.polarity * ELECTRON_MASS


def ion_kind(spectrum, adduct=None):
    """`IonKind` of a spectrum, for the adduct named or its own first one. Raises `DataError` for an unknown adduct."""
    ion = parse_adduct(adduct) if adduct else adducts_of(spectrum)[0]
    metal = _METALS.get(ion.name)
    return IonKind(
        ion.name,
        1 if ion.charge > 0 else -1,
        ATOM_MASS[metal] if metal else 0.0,
        _PRECURSOR_SHIFT.get(ion.name),
    )
