"""Real molecules whose identity is known from elsewhere."""

import pytest

# name: (SMILES without stereo, first InChIKey block, formula)
KNOWN = {
    "ethanol": ("CCO", "LFQSCWFLJHTTHZ", "C2H6O"),
    "caffeine": ("Cn1cnc2c1c(=O)n(C)c(=O)n2C", "RYYVLZVUVIJVGH", "C8H10N4O2"),
    "aspirin": ("CC(=O)Oc1ccccc1C(=O)O", "BSYNRYMUTXBXSQ", "C9H8O4"),
    "ibuprofen": ("CC(C)Cc1ccc(C(C)C(=O)O)cc1", "HEFNNWSXXWATRW", "C13H18O2"),
    "glucose": ("OCC1OC(O)C(O)C(O)C1O", "WQZGKKKJIJFFOK", "C6H12O6"),
    "tryptophan": ("NC(Cc1c[nH]c2ccccc12)C(=O)O", "QIVBCDIJIAJPQS", "C11H12N2O2"),
    "cholesterol": ("CC(C)CCCC(C)C1CCC2C3CC=C4CC(O)CCC4(C)C3CCC12C", "HVYWMOMLDIMFJA", "C27H46O"),
    "testosterone": ("CC12CCC3C(CCC4=CC(=O)CCC43C)C1CCC2O", "MUMGGOZAMZWBJJ", "C19H28O2"),
    "nicotine": ("CN1CCCC1c1cccnc1", "SNICXCGAKADSCV", "C10H14N2"),
    "morphine": ("CN1CCC23c4c5ccc(O)c4OC2C(O)C=CC3C1C5", "BQJCRHHNABKAKU", "C17H19NO3"),
    "penicillin G": ("CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O", "JGSARLDLIJGVTE", "C16H18N2O4S"),
    "quercetin": ("O=c1c(O)c(-c2ccc(O)c(O)c2)oc2cc(O)cc(O)c12", "REFJWTPEDVJJIY", "C15H10O7"),
    "choline": ("C[N+](C)(C)CCO", "OEYIOHPDSNJKLS", "C5H14NO+"),
    "betaine": ("C[N+](C)(C)CC(=O)[O-]", "KWIUHFFTVRNATP", "C5H11NO2"),
    "adenosine": ("Nc1ncnc2c1ncn2C1OC(CO)C(O)C1O", "OIRDTQYFTABQOQ", "C10H13N5O4"),
    "nitrobenzene": ("O=[N+]([O-])c1ccccc1", "LQNUZADURLCDLV", "C6H5NO2"),
    "anthracene": ("c1ccc2cc3ccccc3cc2c1", "MWPLVEDNUUSJAV", "C14H10"),
    "cubane": ("C12C3C4C1C5C2C3C45", "TXWRERCHRDBNLG", "C8H8"),
    "chlorpyrifos": ("CCOP(=S)(OCC)Oc1nc(Cl)c(Cl)cc1Cl", "SBPBAQFWLVIOKP", "C9H11Cl3NO3PS"),
    "perfluorooctanoic acid": (
        "O=C(O)C(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)F", "SNGREZUHAYWORS", "C8HF15O2",
    ),
}  # fmt: skip


@pytest.fixture(scope="session")
def known_molecules():
    """{name: (SMILES without stereo, first InChIKey block, formula)}."""
    return KNOWN
