"""One standard form for every spelling."""

import time

import giants
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors
from rdkit.Chem.EnumerateStereoisomers import EnumerateStereoisomers, StereoEnumerationOptions

from specbridge_tools.constants import ELECTRON_MASS
from specbridge_tools.errors import DataError
from specbridge_tools.molecules import chemistry, reasons
from specbridge_tools.molecules.chemistry import standardise
from specbridge_tools.molecules.formula import mass_of_formula
from specbridge_tools.molecules.smiles_graph import molecular_graph

SALTS = ("", ".Cl", ".[Na+].[Cl-]", ".O", ".O=C(O)C(F)(F)F", ".[K+]", ".OS(=O)(=O)O")
STRUCTURES = (
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "NC(Cc1c[nH]c2ccccc12)C(=O)O",
    "CC(C)CCCC(C)C1CCC2C3CC=C4CC(O)CCC4(C)C3CCC12C",
    "CN1CCC23c4c5ccc(O)c4OC2C(O)C=CC3C1C5",
    "Nc1ncnc2c1ncn2C1OC(COP(=O)(O)O)C(O)C1O",
    "CC=CC=CC(=O)C=CC(C)=NNc1ccc([N+](=O)[O-])cc1",
    "C[N+](C)(C)CC(O)CC(=O)[O-]",
    "CCCCCCCCCCCCCCCC(=O)OCC(COP(=O)([O-])OCC[N+](C)(C)C)OC(=O)CCCCCCCC=CCCCCCCCC",
    "CS(=O)c1ccccc1",
    "C12C3C4C1C5C2C3C45",
    "c1ccc2c(c1)ccc1c2ccc2ccccc21",
    "OC1CCC(O)CC1",
    "C1CC2CCC1CC2",
)


def respelled(smiles, seed, stereo):
    """The same molecule with atoms in another order, and stereo where there can be some."""
    molecule = Chem.MolFromSmiles(smiles)
    if stereo:
        options = StereoEnumerationOptions(maxIsomers=1, rand=seed, tryEmbedding=False)
        molecule = next(iter(EnumerateStereoisomers(molecule, options=options)))
    return Chem.MolToRandomSmilesVect(molecule, 1, randomSeed=seed)[0]


@pytest.mark.slow
@settings(max_examples=150)
@given(
    smiles=st.sampled_from(STRUCTURES), seed=st.integers(1, 10_000), stereo=st.booleans(), salt=st.sampled_from(SALTS)
)
def test_every_spelling_salt_and_stereo_form_has_one_standard_form(smiles, seed, stereo, salt):
    form = standardise(smiles)
    other = standardise(respelled(smiles, seed, stereo) + salt)
    assert other._replace(isomeric_smiles="") == form._replace(isomeric_smiles="")
    assert standardise(other.smiles) == form._replace(isomeric_smiles=form.smiles)


@settings(max_examples=60)
@given(smiles=st.sampled_from(STRUCTURES), seed=st.integers(1, 10_000))
def test_isomeric_smiles_keeps_the_stereo_and_nothing_else_depends_on_it(smiles, seed):
    spelling = respelled(smiles, seed, True)
    form = standardise(spelling)
    assert Chem.MolToInchiKey(Chem.MolFromSmiles(form.isomeric_smiles)) == Chem.MolToInchiKey(
        Chem.MolFromSmiles(spelling)
    ) or any(charge in spelling for charge in "+-")
    assert not set("@/\\") & set(form.smiles)


def test_known_molecules(known_molecules):
    for name, (smiles, inchikey14, formula) in known_molecules.items():
        form = standardise(smiles)
        assert (form.inchikey14, form.formula) == (inchikey14, formula), name
        assert form.exact_mass == pytest.approx(mass_of_formula(formula), abs=1e-4), name
        assert form.isomeric_smiles == form.smiles


def test_inchi_and_molfile_give_the_form_of_the_smiles(known_molecules):
    for smiles, _, _ in known_molecules.values():
        molecule = Chem.MolFromSmiles(smiles)
        form = standardise(smiles)
        assert standardise(Chem.MolToMolBlock(molecule), kind="mol") == form
        from_inchi = standardise(Chem.MolToInchi(molecule), kind="inchi")
        assert from_inchi.inchikey14 == form.inchikey14


@pytest.mark.parametrize(
    ("text", "smiles"),
    [
        ("CC(=O)[O-].[Na+]", "CC(=O)O"),
        ("CC(=O)O[Na]", "CC(=O)O"),
        ("[Na]n1cccc1", "c1cc[nH]c1"),
        ("C[NH3+].[Cl-]", "CN"),
        ("[NH3+]CC(=O)[O-]", "NCC(=O)O"),
        ("C[N+](C)(C)CC(=O)[O-]", "C[N+](C)(C)CC(=O)[O-]"),
        ("C[N+](C)(C)C.[I-]", "C[N+](C)(C)C"),
        ("[O-][n+]1ccccc1", "[O-][n+]1ccccc1"),
        ("O=N(=O)C", "C[N+](=O)[O-]"),
        ("[2H]C([2H])([2H])O", "CO"),
        ("[13CH3]O", "CO"),
        ("[CH3:7][OH:1]", "CO"),
        ("C[C@@H](N)C(=O)O", "CC(N)C(=O)O"),
        ("C/C=C\\C", "CC=CC"),
        ("  CCO\n", "CCO"),
        ("CCO |$;;$|", "CCO"),
        ("OP(=O)(O)O.CO.[U]", "CO"),
        ("CCCC.CCCCCC.CC", "CCCCCC"),
        ("[H]OC([H])([H])[H]", "CO"),
        ("C1=CC=CC=C1", "c1ccccc1"),
        ("[Fe+2].[cH-]1cccc1.[cH-]1cccc1", "C1=CCC=C1"),
        ("OC(=O)[c-]1cccc1.[cH-]1cccc1.[Fe+2]", "O=C(O)C1C=CC=C1"),
        ("[Fe+2].[c-]1(C(=O)O)cccc1.c1[cH-]ccc1", "O=C(O)C1C=CC=C1"),
        ("C1=CC=C[CH-]1", "C1=CCC=C1"),
        ("c1ccc2[cH-]ccc2c1", "C1=Cc2ccccc2C1"),
        ("[c-]1ccccc1.[Na+]", "c1ccccc1"),
        ("Cn1cc[n+](C)[c-]1", "Cn1[c-][n+](C)cc1"),
    ],
)
def test_what_is_dropped_and_what_is_kept(text, smiles):
    assert standardise(text).smiles == smiles


def test_isotopes_are_kept_in_the_isomeric_smiles_only():
    form = standardise("[13CH3][C@H](N)C(=O)[O-].[K+]")
    assert form == standardise("CC(N)C(=O)O")._replace(isomeric_smiles="[13CH3][C@H](N)C(=O)O")


def test_equally_large_fragments_are_chosen_the_same_in_any_order():
    assert standardise("CCCO.CCCN").smiles == standardise("CCCN.CCCO").smiles == "CCCO"


def test_mass_is_that_of_the_atoms_even_for_charged_molecules():
    form = standardise("C[N+](C)(C)CCO")
    assert form.exact_mass == pytest.approx(5 * 12 + 14 * 1.00782503207 + 14.0030740048 + 15.99491461956, abs=1e-7)
    assert form.exact_mass - rdMolDescriptors.CalcExactMolWt(Chem.MolFromSmiles(form.smiles)) == pytest.approx(
        ELECTRON_MASS
    )


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("", "smiles", chemistry.NO_STRUCTURE),
        ("  \t", "smiles", chemistry.NO_STRUCTURE),
        ("", "inchi", chemistry.NO_STRUCTURE),
        ("\n\n\n", "mol", chemistry.NO_STRUCTURE),
        ("C1CC", "smiles", reasons.UNREADABLE),
        ("C(C)(C)(C)(C)C", "smiles", reasons.UNREADABLE),
        ("CC C", "smiles", reasons.UNREADABLE),
        ("CCO\x00", "smiles", reasons.UNREADABLE),
        ("CCé", "smiles", reasons.UNREADABLE),
        ("CC\udcff", "smiles", reasons.UNREADABLE),
        ("[Xx]", "smiles", reasons.UNREADABLE),
        ("c1cccc1", "smiles", reasons.UNREADABLE),
        ("InChI=1S/nothing", "inchi", reasons.UNREADABLE),
        ("no molfile", "mol", reasons.UNREADABLE),
        ("[Na+].[Cl-]", "smiles", reasons.NO_ORGANIC_FRAGMENT),
        ("O", "smiles", reasons.NO_ORGANIC_FRAGMENT),
        ("Cl", "smiles", reasons.NO_ORGANIC_FRAGMENT),
        ("*CC", "smiles", reasons.WILDCARD),
        ("C" * (chemistry.MAX_ATOMS + 1), "smiles", reasons.TOO_LARGE),
        ("C(" * chemistry.MAX_TEXT, "smiles", reasons.TOO_LARGE),
    ],
)
def test_reasons(text, kind, reason):
    with pytest.raises(DataError) as caught:
        standardise(text, kind=kind)
    assert caught.value.message == reason


@settings(max_examples=300)
@given(
    st.text(alphabet="CNOcno()[]=#123+-@/\\.HBrl%*:~$ 0é\t\x00", max_size=30),
    st.sampled_from(["smiles", "inchi", "mol"]),
)
def test_any_text_has_a_form_or_a_reason(text, kind):
    try:
        form = standardise(text, kind=kind)
    except DataError as error:
        outcome = error.message
    else:
        outcome = standardise(form.smiles).smiles == form.smiles
    assert outcome is True or outcome in {chemistry.NO_STRUCTURE, *map(str, vars(reasons).values())}


def test_counts_of_the_standardising_pass_are_those_of_the_smiles(known_molecules):
    for smiles, _, _ in known_molecules.values():
        form = standardise(smiles, fingerprint=(2, 512))
        row = chemistry.morgan_counts([form.smiles], radius=2, bits=512, counts=True)
        assert dict(zip(row.indices.tolist(), row.data.tolist(), strict=True)) == form.counts
        assert form._replace(counts=None) == standardise(smiles)


def test_morgan_counts_of_ethane_and_propane():
    counts = chemistry.morgan_counts(["CC", "CCC"], radius=0, bits=1024, counts=True)
    assert counts.shape == (2, 1024)
    assert counts.dtype == np.float32
    # radius 0: one environment, CH3, in ethane; CH3 twice and CH2 once in propane
    assert sorted(counts[0].data) == [2]
    assert sorted(counts[1].data) == [1, 2]
    bits = chemistry.morgan_counts(["CC", "CCC"], radius=0, bits=1024, counts=False)
    assert set(bits.data) == {1}
    assert (bits.indices == counts.indices).all()


def test_morgan_counts_of_nothing():
    assert chemistry.morgan_counts([], radius=2, bits=64, counts=True).shape == (0, 64)


def test_scaffolds():
    assert chemistry.scaffold("Cc1ccc(CCC2CCCC2)cc1") == "c1ccc(CCC2CCCC2)cc1"
    assert chemistry.scaffold("CCCC") == ""


def test_an_unreadable_smiles_is_a_data_error():
    with pytest.raises(DataError, match="cannot be read"):
        chemistry.scaffold("C1CC")


@pytest.mark.slow
def test_what_has_hundreds_of_rings_is_too_large():
    """Of a torus of 31 by 31 rings, finding them takes seconds, several times for each record."""
    smiles = giants.torus(31)
    molfile = giants.molfile(smiles)
    started = time.process_time()
    for text, kind in ((smiles, "smiles"), (molfile, "mol")):
        with pytest.raises(DataError, match=reasons.TOO_LARGE):
            standardise(text, kind=kind)
    with pytest.raises(DataError, match=reasons.TOO_LARGE):
        molecular_graph(smiles)
    assert time.process_time() - started < 3


@pytest.mark.slow
def test_as_many_rings_as_the_limit_are_a_molecule():
    smiles = giants.spiro(chemistry.MAX_RINGS)
    assert standardise(smiles).formula == "C901H1204"
    assert standardise(giants.molfile(smiles), kind="mol").formula == "C901H1204"
    with pytest.raises(DataError, match=reasons.TOO_LARGE):
        standardise(giants.spiro(chemistry.MAX_RINGS + 1))
