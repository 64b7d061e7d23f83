"""Morgan counts without RDKit are those of RDKit."""

import pytest

from specbridge_tools.molecules.chemistry import morgan_counts
from specbridge_tools.molecules.plain_morgan import plain_counts

SMILES = [
    "C",
    "CC",
    "CC(=O)Nc1ccc(O)cc1",
    "C[N+](C)(C)CC(=O)[O-]",
    "O=C1c2ccccc2C(=O)N1C1CCC(=O)NC1=O",
    "C1CC2CCC1CC2",
    "c1ccc2c(c1)[nH]c1ccccc12",
    "CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O",
    "FC(F)(F)c1cc(Cl)cc(Br)c1I",
    "C#CC1(O)CCC2C3CCC4=CC(=O)CCC4C3CCC21C",
    "CCCCCCCCCCCCCCCCCC(=O)OCC(COP(=O)(O)OCC[N+](C)(C)C)OC(=O)CCCCCCCCCCCCCCCCC",
    "OCC1OC(OC2C(O)C(O)C(OC3C(O)C(O)C(O)OC3CO)OC2CO)C(O)C(O)C1O",
]


@pytest.mark.parametrize(("radius", "bits"), [(0, 4096), (2, 4096), (3, 64)])
def test_counts_are_those_of_rdkit(radius, bits):
    expected = morgan_counts(SMILES, radius=radius, bits=bits, counts=True)
    for smiles, row in zip(SMILES, expected, strict=True):
        columns, counts = plain_counts(smiles, radius=radius, bits=bits)
        assert columns.tolist() == row.indices.tolist()
        assert counts.tolist() == row.data.tolist()


def test_what_is_not_plain_is_left_to_rdkit():
    assert plain_counts("[2H]C([2H])([2H])C", radius=2, bits=4096) is None
