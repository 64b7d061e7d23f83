"""SDF, V2000 and V3000."""

from fuzz.texts import molecules

V2000 = """methanol
  made here

  2  1  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0
    1.0000    0.0000    0.0000 O   0  0  0  0  0  0
  1  2  1  0
M  END
> <ID>
m1

$$$$
"""
V3000 = """ethane
  made here

  0  0  0     0  0            999 V3000
M  V30 BEGIN CTAB
M  V30 COUNTS 2 1 0 0 0
M  V30 BEGIN ATOM
M  V30 1 C 0 0 0 0
M  V30 2 C 1 0 0 0
M  V30 END ATOM
M  V30 BEGIN BOND
M  V30 1 1 1 2
M  V30 END BOND
M  V30 END CTAB
M  END
> <PUBCHEM_COMPOUND_CID>
6324

$$$$
"""
FORMAT = molecules(both=V2000 + V3000)
