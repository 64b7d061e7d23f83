"""Physical constants, the only place where they stand.

Masses in Da from AME2020 (Wang et al., Chinese Physics C 45, 030003, 2021) as tabulated by IUPAC; the electron and the
proton from CODATA 2018. Atoms' masses are RDKit's own (`Descriptors.ExactMolWt`), which agree to 1e-5 Da.
"""

ELECTRON_MASS = 0.000548579909065
HYDROGEN_MASS = 1.00782503190
PROTON_MASS = HYDROGEN_MASS - ELECTRON_MASS
