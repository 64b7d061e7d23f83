"""Complexes whose metal the standard form leaves out are counted and named."""

import io

import pytest

from specbridge_tools.molecules.chemistry import standardise
from specbridge_tools.molecules.metals import COMPLEX, lost_metals
from specbridge_tools.molecules.reader import read_molecules
from specbridge_tools.records import Tally

FERROCENE = "[Fe+2].[cH-]1cccc1.[cH-]1cccc1"
MOLFILE = """x
  test

  4  2  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 O   0  5  0  0  0  0  0  0  0  0  0  0
    1.5000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    2.5000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
   -1.5000    2.0000    0.0000 Zn  0  0  0  0  0  0  0  0  0  0  0  0
  1  2  1  0
  2  3  1  0
M  END
"""


@pytest.mark.parametrize(
    ("text", "kind", "metals"),
    [
        (FERROCENE, "smiles", ("Fe",)),
        ("[64Cu+2].[O-]C(=O)CN.[O-]C(=O)CN", "smiles", ("Cu",)),
        ("N.N.Cl[Pt]Cl.CCO", "smiles", ("Pt",)),
        ("InChI=1S/2C5H5.Fe/c2*1-2-4-5-3-1;/h2*1-5H;/q2*-1;+2", "inchi", ("Fe",)),
        (MOLFILE, "mol", ("Zn",)),
        # salts and what has no metal
        ("CC(=O)[O-].[Na+]", "smiles", ()),
        ("CC(=O)O[K]", "smiles", ()),
        ("[Ca+2].CC(=O)[O-].CC(=O)[O-]", "smiles", ()),
        ("C[Si](C)(C)C[Se]C", "smiles", ()),
        # a metal that stays
        ("C[Hg]C", "smiles", ()),
        ("C[Sn](C)(C)C", "smiles", ()),
        ("InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3", "inchi", ()),
    ],
)
def test_the_metals_that_the_standard_form_lost(text, kind, metals):
    assert lost_metals(text, kind, standardise(text, kind=kind).formula) == metals


def test_they_are_counted_and_named():
    table = f"id\tsmiles\tinchi\nferrocene\t{FERROCENE}\t\nsalt\tCC(=O)[O-].[Na+]\t\n"
    table += "fallback\tC1CC\tInChI=1S/2C5H5.Fe/c2*1-2-4-5-3-1;/h2*1-5H;/q2*-1;+2\n"
    tally = Tally(noun="molecules")
    molecules = list(tally.usable(read_molecules(io.BytesIO(table.encode()), threads=1)))
    assert [molecule.notes for molecule in molecules] == [(COMPLEX,), (), (COMPLEX,)]
    assert "3 molecules read, 0 rejected, 0 written, 2 left without a metal (ferrocene, fallback), " in tally.summary()
