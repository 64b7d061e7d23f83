"""Physical constants, the only place where they are defined, and what commands and library have in common.

Masses in Da, from AME2020 (Wang et al., Chinese Physics C 45, 030003, 2021) as tabulated by IUPAC; the electron and the
proton from CODATA 2018. The masses of molecules are sums of RDKit's own atomic masses (`Descriptors.ExactMolWt`), which
agree to 1e-5 Da.
"""

from __future__ import annotations

ELECTRON_MASS = 0.000548579909065
HYDROGEN_MASS = 1.00782503190
PROTON_MASS = HYDROGEN_MASS - ELECTRON_MASS

# Mass (Da) of the most abundant isotope of each element that an adduct or its neutral losses are made of: AME2020.
# With seven decimals: metals that are rare in adducts, as NIST tabulates them (pyteomics.mass.nist_mass).
ATOM_MASS = {
    "H": HYDROGEN_MASS,
    "Li": 7.0160034343,
    "B": 11.0093051666,
    "C": 12.0,
    "N": 14.0030740043,
    "O": 15.9949146193,
    "F": 18.9984031621,
    "Na": 22.9897692820,
    "Mg": 23.9850416896,
    "Al": 26.9815384079,
    "Si": 27.9769265344,
    "P": 30.9737619977,
    "S": 31.9720711735,
    "Cl": 34.9688526940,
    "K": 38.9637064848,
    "Ca": 39.9625908502,
    "Mn": 54.9380430394,
    "Fe": 55.9349355371,
    "Co": 58.9331935238,
    "Ni": 57.9353416533,
    "Cu": 62.9295971275,
    "Zn": 63.9291417736,
    "Se": 79.9165217619,
    "Br": 78.9183376012,
    "Rb": 84.9117897360,
    "Ag": 106.9050915330,
    "I": 126.9044718590,
    "Cs": 132.9054519585,
    "Ti": 47.9479463,
    "V": 50.9439595,
    "Cr": 51.9405075,
    "Ga": 68.9255736,
    "Sr": 87.9056121,
    "Mo": 97.9054082,
    "Ru": 101.9043493,
    "Rh": 102.9055040,
    "Pd": 105.9034860,
    "Cd": 113.9033585,
    "In": 114.9038780,
    "Sn": 119.9021947,
    "Ba": 137.9052472,
    "La": 138.9063533,
    "Ce": 139.9054387,
    "Eu": 152.9212303,
    "Gd": 157.9241039,
    "Tb": 158.9253468,
    "Yb": 173.9388621,
    "Pt": 194.9647911,
    "Au": 196.9665687,
    "Hg": 201.9706430,
    "Tl": 204.9744275,
    "Pb": 207.9766521,
    "Bi": 208.9803987,
    "U": 238.0507882,
}

OPEN_RERANK = 200
"""How many candidates of a query without a mass are re-ranked where no number is given, the first ones by cosine."""

# Mass (Da) of the rarer isotopes that adduct names single out: AME2020.
ISOTOPE_MASS = {"37Cl": 36.9659025740, "81Br": 80.9162881971}
