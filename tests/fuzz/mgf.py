"""MGF."""

from fuzz.seeds import SPECTRA
from fuzz.texts import spectra

SEVERAL = """COM=made here
CHARGE=1+
BEGIN IONS
TITLE=a
PEPMASS=152.0706 1000
SCANS=1
SMILES=CC(=O)Nc1ccc(O)cc1
65.0386 10 1+
110.0600,100
END IONS
# a comment
BEGIN IONS
TITLE=b
PEPMASS=195.0877
IONMODE=negative
CHARGE=1-
MSLEVEL=3
138.0662\t100
END IONS
"""
FORMAT = spectra(start=rb"^[ \t]*BEGIN IONS[ \t]*$", plain=SPECTRA, several=SEVERAL)
