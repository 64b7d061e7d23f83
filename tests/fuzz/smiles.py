"""Files of SMILES."""

from fuzz.texts import molecules

SMILES = """# made here
CC(=O)Nc1ccc(O)cc1 m1
CN1C=NC2=C1C(=O)N(C)C(=O)N2C |r| m2 caffeine
C[N+](C)(C)CC(=O)[O-]\tm3\tbetaine
[Na+].[O-]C(=O)c1ccccc1 m4
F/C=C/F m5
"""
FORMAT = molecules(plain=SMILES, second="id smiles\nm1 CCO\nm2 c1ccccc1\nm3 CCN\n")
