"""Adducts: one name for each ion, and masses that agree with figures known from elsewhere."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specbridge_tools.constants import ATOM_MASS, ELECTRON_MASS, HYDROGEN_MASS, PROTON_MASS
from specbridge_tools.errors import DataError
from specbridge_tools.molecules.adducts import adducts_of, default_adducts, parse_adduct

GLUCOSE = 180.063388
CAFFEINE = 194.080376
CHOLINE = 104.107539  # C5H14NO+, electrons not subtracted

SPELLINGS = {
    "[M+H]+": "[M+H]+;M+H;[M+H];[M+H]1+;[M+H]+1;M+H+;MH+;[MH]+;(M+H)+;[M + H]+;[1M+H]+;[M+H+]+;[M+H]⁺;[M+H]+*",
    "[M+Na]+": "M+Na;[M+Na]1+;M+Na+;[M+Na+]",
    "[M+NH4]+": "M+NH4;M+NH4+;[M+NH3+H]+;[M+H+NH3]1+;[(M+NH3)+H]+;(M+NH3)+H;((M+NH3)+H)+",
    "[M]+": "[M]+.;[M.]+;[M+.]+;[M]•+;M+;M+.;[M]1+;[Cat]+;Cat+;[M]+*;[M-e]+",
    "[M]-": "[M]-.;M-;[M]1-;[M+e]-",
    "[M-H2O+H]+": "[M+H-H2O]+;M+H-H2O;M-H2O+H;[M-H2O+H]1+;[M+H-(H2O)]+",
    "[M-2H2O+H]+": "[M+H-2H2O]+;[M+H-H2O-H2O]+;[M+H-H4O2]+;M-2H2O+H",
    "[M-NH3+H]+": "[M+H-NH3]+;M+H-NH3",
    "[M+2H]2+": "[M+2H]++;M+2H;M+2H2+;M+2H+;[M+2H]+2;[M+H+H]2+;[M+2H]²⁺",
    "[M+3H]3+": "M+3H;M+3H3+;[M+3H]+++",
    "[M+H+Na]2+": "[M+Na+H]2+;M+H+Na",
    "[M+ACN+H]+": "[M+CH3CN+H]+;[M+H+C2H3N]+;M+ACN+H",
    "[M+CH3OH+H]+": "[M+MeOH+H]+;[M+H+CH4O]+",
    "[M-H+2Na]+": "[M+2Na-H]+;M+2Na-H",
    "[2M+NH4]+": "[(2M+NH3)+H]+",
    "[2M+H]+": "2M+H;[2M+H]1+",
    "[M-H]-": "M-H;[M-H];[M-H]1-;[M-H]-1;M-H-;(M-H)-;[M−H]−;[M-H]⁻",
    "[M-2H]2-": "[M-2H]--;M-2H;M-2H2-",
    "[M-H2O-H]-": "[M-H-H2O]-;M-H2O-H;[M-H-H2O]1-",
    "[M+Cl]-": "M+Cl;[M+Cl]1-;[M+Cl35]-;[M+35Cl]-",
    "[M+37Cl]-": "[M+Cl37]-",
    "[M+Br]-": "M+Br;[M+79Br]-",
    "[M+HCOO]-": "[M+FA-H]-;M+FA-H;[M+HCOO]1-;[M+CHO2]-;[M+HCO2]-;[M+FA]-;[M+Formate]-;[M+HCOOH-H]-;[M-H+CH2O2]-",
    "[M+CH3COO]-": "[M+Hac-H]-;[M+HAc-H]-;[M+OAc]-;[M+CH3COO]1-;[M+C2H3O2]-;[M+Ac-H]-;[M+Acetate]-;[M+CH3CO2]-;M+HAc-H",
    "[M+CF3COO]-": "[M+TFA-H]-;M+TFA-H;[M+C2F3O2]-",
    "[2M-H]-": "2M-H;[2M-H]1-",
    "[2M-2H+Na]-": "[2M+Na-2H]-",
    "[M-CH3]-": "[M-CH3]1-",
    "[M-H]+": "[M-H]1+;[M-H]+1",
    "[M-C6H10O5+H]+": "[M+H-C6H10O5]+;M+H-C6H10O5",
}
EQUAL = [(spelling, name) for name, spellings in SPELLINGS.items() for spelling in [name, *spellings.split(";")]]


# The types of ions that the definition of MassBank's record format lists (2.5.1), with their shifts by the masses of
# atoms and electrons.
MASSBANK = {
    "[M]+": ("[M]+", -0.000549),
    "[M]+*": ("[M]+", -0.000549),
    "[M+H]+": ("[M+H]+", 1.007276),
    "[2M+H]+": ("[2M+H]+", 1.007276),
    "[M+Na]+": ("[M+Na]+", 22.989221),
    "[M-H+Na]+": ("[M-H+Na]+", 21.981396),
    "[2M+Na]+": ("[2M+Na]+", 22.989221),
    "[M+2Na-H]+": ("[M-H+2Na]+", 44.971165),
    "[(M+NH3)+H]+": ("[M+NH4]+", 18.033826),
    "[M+H-H2O]+": ("[M-H2O+H]+", -17.003288),
    "[M+H-C6H10O4]+": ("[M-C6H10O4+H]+", -145.050632),
    "[M+H-C6H10O5]+": ("[M-C6H10O5+H]+", -161.045547),
    "[M]-": ("[M]-", 0.000549),
    "[M-H]-": ("[M-H]-", -1.007276),
    "[M-2H]-": ("[M-2H]-", -2.015101),
    "[M-2H+H2O]-": ("[M+O]-", 15.995463),
    "[M-H+OH]-": ("[M+O]-", 15.995463),
    "[2M-H]-": ("[2M-H]-", -1.007276),
    "[M+HCOO-]-": ("[M+HCOO]-", 44.998203),
    "[(M+CH3COOH)-H]-": ("[M+CH3COO]-", 59.013853),
    "[2M-H-CO2]-": ("[2M-CO2-H]-", -44.997106),
    "[2M-H-C6H10O5]-": ("[2M-C6H10O5-H]-", -163.060100),
}


@pytest.mark.parametrize("spelling", MASSBANK)
def test_the_types_of_ions_of_massbank(spelling):
    adduct = parse_adduct(spelling)
    assert (adduct.name, adduct.mass_shift) == (MASSBANK[spelling][0], pytest.approx(MASSBANK[spelling][1], abs=5e-6))


@pytest.mark.parametrize(("spelling", "name"), EQUAL)
def test_spellings_of_one_ion_have_its_canonical_name(spelling, name):
    assert parse_adduct(spelling).name == name
    assert parse_adduct(spelling) == parse_adduct(name)


@pytest.mark.parametrize(
    ("adduct", "exact_mass", "precursor_mz"),
    [
        ("[M+H]+", GLUCOSE, 181.0707),
        ("[M+Na]+", GLUCOSE, 203.0526),
        ("[M+K]+", GLUCOSE, 219.0265),
        ("[M+NH4]+", GLUCOSE, 198.0972),
        ("[M+Li]+", GLUCOSE, 187.0788),
        ("[M-H2O+H]+", GLUCOSE, 163.0601),
        ("[2M+Na]+", GLUCOSE, 383.1160),
        ("[M-H]-", GLUCOSE, 179.0561),
        ("[M+Cl]-", GLUCOSE, 215.0328),
        ("[M+FA-H]-", GLUCOSE, 225.0616),
        ("[M+CH3COO]-", GLUCOSE, 239.0772),
        ("[2M-H]-", GLUCOSE, 359.1195),
        ("[M-2H]2-", GLUCOSE, 89.0244),
        ("[M+H]+", CAFFEINE, 195.0877),
        ("[M+Na]+", CAFFEINE, 217.0696),
        ("[M+2H]2+", CAFFEINE, 98.0475),
        ("[M]+", CHOLINE, 104.1070),
    ],
)
def test_mz_of_known_ions(adduct, exact_mass, precursor_mz):
    assert parse_adduct(adduct).precursor_mz(exact_mass) == pytest.approx(precursor_mz, abs=6e-5)


# The table of Huang et al., Anal. Chem. 71, 1999, as the adduct calculators carry it: m/z = mass * n / |z| + shift.
@pytest.mark.parametrize(
    ("adduct", "shift"),
    [
        ("M+3H", 1.007276),
        ("M+2H+Na", 8.334590),
        ("M+H+NH4", 9.520550),
        ("M+H+K", 19.985217),
        ("M+ACN+2H", 21.520550),
        ("M+2Na", 22.989218),
        ("M+2ACN+2H", 42.033823),
        ("M+CH3OH+H", 33.033489),
        ("M+2Na-H", 44.971160),
        ("M+ACN+Na", 64.015765),
        ("M+2K-H", 76.919040),
        ("M+DMSO+H", 79.021220),
        ("M-3H", -1.007276),
        ("M+Na-2H", 20.974666),
        ("M+K-2H", 36.948606),
        ("M+FA-H", 44.998201),
        ("M+Hac-H", 59.013851),
        ("M+Br", 78.918885),
        ("M+TFA-H", 112.985586),
    ],
)
def test_shifts_of_the_published_table(adduct, shift):
    adduct = parse_adduct(adduct)
    assert adduct.mass_shift / abs(adduct.charge) == pytest.approx(shift, abs=1e-5)


def test_a_proton_is_not_a_hydrogen_atom():
    assert parse_adduct("[M+H]+").mass_shift == pytest.approx(PROTON_MASS, abs=1e-12)
    assert parse_adduct("[M+H]+").mass_shift == pytest.approx(1.007276467, abs=2e-8)  # CODATA; the atom is bound
    assert parse_adduct("[M-H]-").mass_shift == pytest.approx(-PROTON_MASS, abs=1e-12)
    assert parse_adduct("[M-H]+").mass_shift == pytest.approx(-HYDROGEN_MASS - ELECTRON_MASS, abs=1e-12)


def test_neutral_mass_of_a_cation_has_its_electron_back():
    assert parse_adduct("[M]+").neutral_mass(104.10699) == pytest.approx(104.10699 + ELECTRON_MASS, abs=1e-9)
    assert parse_adduct("[M]-").neutral_mass(100.0) == pytest.approx(100.0 - ELECTRON_MASS, abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "M",
        "[M]",
        "H",
        "foo",
        "unknown",
        "[M+?]+",
        "[M+H]-",
        "[M+Na]-",
        "[M+Xx]+",
        "[M+H",
        "M+H]+",
        "[M+H]+[M+Na]+",
        "[M+H]0+",
        "[M+H]99+",
        "[0M+H]+",
        "[Mg+H]+",
        "[M+H]+-",
        "[M++H]+",
        "[M+]H",
        "[M+12]+",
        "[M+H]2+2",
        "\0",
        "M" * 5000,
        "[M-37Cl]-",
        "[M+NH4]-",
        "[M+13C+H]+",
        "[M+H+13C]+",
        "[M+13C2+H]+",
        "[M+C13+H]+",
        "[M+(13C)+H]+",
        "[M13C+H]+",
        "M+15N+H",
        "[M+18O+H]+",
        "[M+34S-H]-",
        "[M+6Li]+",
        "[M+41K]+",
        "[M+D]+",
        "[(M+H)+Na]2+",
        "(M+H)+Na",
        "[(M+Cl)+H]+",
        "[(NH3)+H]+",
        "[2(M+NH3)+H]+",
        "[(M+NH3)]+",
        "[((M+NH3)+H)+H]+",
        "[(M+NH3)+H]-",
        "[M+NH3+H]-",
        "[M+ACN+Na]-",
        "[M+H2O+H]-",
        "[M+H]+,[M-H2O+H]+",
    ],
)
def test_what_names_no_adduct_is_refused(text):
    with pytest.raises(DataError, match="unknown adduct"):
        parse_adduct(text)


CARRIERS = ["H", "H", "H", "Na", "K", "Li", "NH4", "Ca", "Fe", "Cl", "Br", "37Cl", "HCOO", "CH3COO", "e"]
NEUTRALS = ["H2O", "NH3", "CO2", "CO", "ACN", "FA", "HAc", "Ac", "TFA", "HCOOH", "CH3OH", "DMSO", "IPA", "HCl", "H3PO4"]
PARTS = [*CARRIERS, *NEUTRALS, "CH3", "C6H10O5", "SO3", "NO2", "C2H4", "O", "H2"]
PART = st.tuples(st.sampled_from("+-"), st.sampled_from(["", "", "2", "3"]), st.sampled_from(PARTS))
CHARGE = st.sampled_from(["+", "-", "2+", "2-", "3+", "", "1+", "++"])


def adduct_or_none(molecules, parts, charge):
    try:
        return parse_adduct(f"[{molecules}M{''.join(map(''.join, parts))}]{charge}")
    except DataError:
        return None


@settings(max_examples=200)
@given(st.sampled_from(["", "1", "2", "3"]), st.lists(PART, max_size=4), CHARGE, st.randoms())
def test_names_are_canonical(molecules, parts, charge, random):
    adduct = adduct_or_none(molecules, parts, charge)
    shuffled = random.sample(parts, len(parts))
    assert adduct_or_none(molecules, shuffled, charge) == adduct
    if adduct is not None:
        assert parse_adduct(adduct.name) == adduct
        assert adduct.neutral_mass(adduct.precursor_mz(GLUCOSE)) == pytest.approx(GLUCOSE, abs=1e-9)


@given(st.text(st.sampled_from("M+-[]()HNaClK0123456789O .*ACFe"), max_size=20))
def test_any_text_is_an_adduct_or_a_data_error(text):
    try:
        adduct = parse_adduct(text)
    except DataError:
        return
    assert parse_adduct(adduct.name) == adduct
    assert adduct.charge != 0
    assert adduct.n_molecules >= 1


@dataclasses.dataclass
class Ion:
    adduct: str | None = None
    charge: int = 0
    polarity: int = 0
    charge_size: int = 0
    adducts: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("ion", "names"),
    [
        (Ion("[M+K]+", 1, 1), ["[M+K]+"]),
        (Ion(None, 1, 1), ["[M+H]+", "[M+Na]+", "[M+NH4]+", "[M]+", "[M-H2O+H]+", "[M+K]+"]),
        (Ion(None, 0, 1), ["[M+H]+", "[M+Na]+", "[M+NH4]+", "[M]+", "[M-H2O+H]+", "[M+K]+"]),
        (Ion(None, 2, 1), ["[M+2H]2+", "[M+H+Na]2+"]),
        (Ion(None, 4, 1), ["[M+4H]4+"]),
        (Ion(None, -1, -1), ["[M-H]-", "[M+HCOO]-", "[M+Cl]-", "[M+CH3COO]-"]),
        (Ion(None, 0, -1), ["[M-H]-", "[M+HCOO]-", "[M+Cl]-", "[M+CH3COO]-"]),
        (Ion(None, -2, -1), ["[M-2H]2-"]),
        (Ion(None, 0, 0, 2), ["[M+2H]2+", "[M+H+Na]2+", "[M-2H]2-"]),
        (Ion(None, 0, -1, 2), ["[M-2H]2-"]),
        (Ion(None, 0, -1, 1), ["[M-H]-", "[M+HCOO]-", "[M+Cl]-", "[M+CH3COO]-"]),
    ],
)
def test_hypotheses(ion, names):
    assert [adduct.name for adduct in adducts_of(ion)] == names


def test_without_charge_and_polarity_both_lists_are_searched():
    assert adducts_of(Ion()) == default_adducts(polarity=1) + default_adducts(polarity=-1)


def test_atom_masses_agree_with_rdkit():
    chem = pytest.importorskip("rdkit.Chem")
    table = chem.GetPeriodicTable()
    for element, mass in ATOM_MASS.items():
        assert mass == pytest.approx(table.GetMostCommonIsotopeMass(element), abs=1e-5)
