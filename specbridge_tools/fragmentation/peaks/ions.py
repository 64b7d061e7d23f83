"""From the mass of a fragment to the m/z of its ions."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.constants import ATOM_MASS, ELECTRON_MASS, HYDROGEN_MASS
from specbridge_tools.molecules.adducts import adducts_of, parse_adduct
from specbridge_tools.spectra.spectrum import Spectrum

SHIFTS = np.arange(-4, 5)
N_SHIFTS = len(SHIFTS)
# an adduct's metal can stay on a fragment, in place of a hydrogen
_METALS = {"[M+Na]+": "Na", "[M+K]+": "K", "[M+Li]+": "Li"}
# hydrogens that the precursor ion has beyond those of the molecule
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
    """How fragments of a precursor carry their charge; fragment ions are taken to be singly charged.

    Attributes:
        adduct: Name of the precursor's adduct.
        polarity: +1 or -1.
        metal_mass: Da, mass of a metal that may replace one hydrogen, or 0.
        precursor_shift: Hydrogens that the precursor has beyond those of the molecule (the metal counts as one), or
            None where it differs from the molecule by more than hydrogens.
    """

    adduct: str
    polarity: int
    metal_mass: float = 0.0
    precursor_shift: int | None = None

    def charge_carrier_masses(self) -> tuple[float, ...]:
        """Masses (Da) that a fragment ion may have besides its hydrogens: 0, and that of the metal less a hydrogen."""
        return (0.0, self.metal_mass - HYDROGEN_MASS) if self.metal_mass else (0.0,)

    def mz(
        self, masses: float | NDArray[np.float64], shift: int | NDArray[np.int64], charge_carrier: int = 0
    ) -> NDArray[np.float64]:
        """Compute the m/z of fragment ions.

        Args:
            masses: Of the fragments, Da.
            shift: Hydrogens that the ion has beyond those of the fragment.
            charge_carrier: Position in `charge_carrier_masses`.
        """
        carrier_mass = self.charge_carrier_masses()[charge_carrier]
        return np.asarray(masses + shift * HYDROGEN_MASS + carrier_mass - self.polarity * ELECTRON_MASS)


def ion_kind(spectrum: Spectrum, adduct: str | None = None) -> IonKind:
    """How the fragments of a spectrum carry their charge.

    Args:
        spectrum: Of which the first adduct counts unless another is named.
        adduct: Its name.

    Raises:
        DataError: For an unknown adduct.
    """
    ion = parse_adduct(adduct) if adduct else adducts_of(spectrum)[0]
    metal = _METALS.get(ion.name)
    return IonKind(
        ion.name,
        1 if ion.charge > 0 else -1,
        ATOM_MASS[metal] if metal else 0.0,
        _PRECURSOR_SHIFT.get(ion.name),
    )
