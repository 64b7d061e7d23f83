"""Adducts: names as the field spells them, and the arithmetic between a neutral mass and a precursor m/z."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING

from specbridge_tools.constants import ATOM_MASS, ELECTRON_MASS, ISOTOPE_MASS
from specbridge_tools.errors import DataError
from specbridge_tools.molecules.adduct_grammar import read_adduct
from specbridge_tools.molecules.adduct_names import canonical_name

if TYPE_CHECKING:
    from specbridge_tools.spectra.spectrum import Spectrum

SINGLY_POSITIVE = ("[M+H]+", "[M+Na]+", "[M+NH4]+", "[M]+", "[M-H2O+H]+", "[M+K]+")
DOUBLY_POSITIVE = ("[M+2H]2+", "[M+H+Na]2+")
SINGLY_NEGATIVE = ("[M-H]-", "[M+HCOO]-", "[M+Cl]-", "[M+CH3COO]-")
_ADVICE = "write it as in [M+H]+, [M-H]-, [2M+Na]+, [M-H2O+H]+ or [M+2H]2+, or leave it out"


@dataclasses.dataclass(frozen=True)
class Adduct:
    """An ion of one molecule or several.

    A molecule's exact mass is the sum of its atoms' masses, for charged molecules too: the ion of a molecule that is
    already a cation is `[M]+`, lighter than the molecule's exact mass by one electron.

    Attributes:
        name: Canonical: equal ions have equal names, whatever the file called them.
        n_molecules: How many M it holds.
        charge: Signed, never 0.
        mass_shift: Da; what is added to the molecules, including the mass of the electrons lost or gained.
    """

    name: str
    n_molecules: int
    charge: int
    mass_shift: float

    def neutral_mass(self, precursor_mz: float) -> float:
        """Exact mass (Da) of the molecule whose ion this is at `precursor_mz`; not positive if there is none."""
        return (precursor_mz * abs(self.charge) - self.mass_shift) / self.n_molecules

    def precursor_mz(self, exact_mass: float) -> float:
        """m/z of this ion of a molecule of `exact_mass` (Da)."""
        return (self.n_molecules * exact_mass + self.mass_shift) / abs(self.charge)


@functools.lru_cache(maxsize=4096)
def parse_adduct(text: str) -> Adduct:
    """The adduct that `text` names, in any of the spellings of MassBank, GNPS, MoNA, SIRIUS, MS-DIAL or matchms.

    Brackets, charge and the order of the parts are free where the meaning is: `M+H`, `[M+H]1+`, `(M+H)+`, `MH+` and
    `[M+H]+` are one adduct, as are `[M+FA-H]-` and `[M+HCOO]-`, `[M+H-H2O]+` and `[M-H2O+H]+`, `[M]+.`, `[Cat]+` and
    `[M]+`, `[(M+NH3)+H]+` and `[M+NH4]+`. Radical marks are dropped.

    Raises:
        DataError: The text names no adduct.
    """
    try:
        ion = read_adduct(text)
        name = canonical_name(ion)
        read_adduct(name)  # numbers of several parts may sum to what reads as an isotope
    except DataError as error:
        raise DataError(f"unknown adduct {text!r}: {error.message}", advice=_ADVICE) from None
    masses = ATOM_MASS | ISOTOPE_MASS
    gained = sum(masses[element] * count for element, count in ion.composition)
    return Adduct(name, ion.n_molecules, ion.charge, gained - ion.charge * ELECTRON_MASS)


def default_adducts(charge: int = 0, polarity: int = 0) -> tuple[Adduct, ...]:
    """The hypotheses for an ion whose adduct is not known, most common first.

    * charge +1, or unknown and polarity +1: [M+H]+, [M+Na]+, [M+NH4]+, [M]+, [M-H2O+H]+, [M+K]+
    * charge -1, or unknown and polarity -1: [M-H]-, [M+HCOO]-, [M+Cl]-, [M+CH3COO]-
    * charge +2: [M+2H]2+, [M+H+Na]2+
    * any other charge n: n protons gained or lost
    * neither known: those of +1, then those of -1
    """
    if charge == 0 and polarity == 0:
        return default_adducts(1) + default_adducts(-1)
    charge = charge or (1 if polarity > 0 else -1)
    named = {1: SINGLY_POSITIVE, 2: DOUBLY_POSITIVE, -1: SINGLY_NEGATIVE}
    sign = "+" if charge > 0 else "-"
    names = named.get(charge) or (f"[M{sign}{abs(charge)}H]{abs(charge)}{sign}",)
    return tuple(map(parse_adduct, names))


def adducts_of(spectrum: Spectrum) -> tuple[Adduct, ...]:
    """The adducts to search for: the one that the spectrum names, else those that its reading says are to be tried.

    Without either these are `default_adducts` of its charge and polarity.

    A charge without a sign takes that of the polarity, else both.
    """
    if spectrum.adduct:
        return (parse_adduct(spectrum.adduct),)
    if spectrum.adducts:
        return tuple(map(parse_adduct, spectrum.adducts))
    if size := 0 if spectrum.charge else spectrum.charge_size:
        return tuple(
            adduct for sign in (1, -1) if sign * spectrum.polarity >= 0 for adduct in default_adducts(sign * size)
        )
    return default_adducts(spectrum.charge, spectrum.polarity)
