"""MSP of NIST, MassBank and MS-FINDER."""

from fuzz.texts import spectra

NIST = """Name: a
PrecursorMZ: 152.0706
Precursor_type: [M+H]+
Comments: "SMILES=CC(=O)Nc1ccc(O)cc1" "cas=103-90-2"
Num Peaks: 2
65.0386 10 "x"; 110.0600 100

Name: b
PRECURSORMZ: 195.0877
Ion_mode: P
Synon: c
Synon: d
Num Peaks: 3
50\t1
60\t2
70\t3
"""
MAT = """NAME: Unknown
SCANNUMBER: 7
PRECURSORMZ: 152.0706
PRECURSORTYPE: [M+H]+
IONMODE: Positive
MSTYPE: MS1
Num Peaks: 2
152.0706 100
153.0740 9
MSTYPE: MS2
Num Peaks: 2
65.0386 10
110.0600 100
"""
FORMAT = spectra(start=rb"^[ \t]*Name[ \t]*:", nist=NIST, mat=MAT)
