"""A precursor m/z that is missing, from the adduct and the structure."""

import pytest

from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.mgf import mgf_text
from specbridge_tools.spectra.spectrum import DERIVED

CAFFEINE = "SMILES=Cn1c(=O)c2c(ncn2C)n(C)c1=O\n"
INCHI = "INCHI=InChI=1S/C8H10N4O2/c1-10-4-9-6-5(10)7(13)12(3)8(14)11(6)2/h4H,1-3H3\n"


def record(fields):
    return f"BEGIN IONS\nTITLE=a\n{fields}138.07 5\nEND IONS\n"


@pytest.mark.parametrize(
    ("fields", "precursor_mz"),
    [
        (f"ADDUCT=[M+H]+\n{CAFFEINE}", 195.08765),
        (f"ADDUCT=[M+H]+\n{INCHI}", 195.08765),
        (f"ADDUCT=[2M+Na]+\n{CAFFEINE}", 411.14996),
        (f"ADDUCT=[M-H]-\nPEPMASS=0.0\n{CAFFEINE}", 193.07310),
        (f"ADDUCT=[M+H]+\nPEPMASS=0.0 12 1+\n{CAFFEINE}", 195.08765),
        (f"ADDUCT=[M+H]+\nPRECURSOR_MZ=nan\n{CAFFEINE}", 195.08765),
        ("ADDUCT=[M]+\nSMILES=C[N+](C)(C)CCO\n", 104.10699),  # choline is a cation already
    ],
)
def test_it_follows_from_both(read, read_one, fields, precursor_mz):
    (rejected,) = read(record(fields))
    assert rejected.reason in (reasons.NO_PRECURSOR, reasons.PRECURSOR_NOT_POSITIVE)
    spectrum = read_one(record(fields), derive_precursor=True)
    assert spectrum.precursor_mz == pytest.approx(precursor_mz, abs=2e-5)
    assert spectrum.notes == (DERIVED,)
    again = read_one(mgf_text(spectrum))
    assert (again.precursor_mz, again.adduct) == (spectrum.precursor_mz, spectrum.adduct)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (CAFFEINE, reasons.NO_PRECURSOR),
        ("ADDUCT=[M+H]+\n", reasons.NO_PRECURSOR),
        ("ADDUCT=[M+H]+\nSMILES=nonsense(\n", reasons.NO_PRECURSOR),
        # the mass of the standard form is that of the common isotopes
        ("ADDUCT=[M+H]+\nSMILES=[13CH3]CO\n", reasons.NO_PRECURSOR),
        (f"ADDUCT=[M+H]+\nPEPMASS=-195\n{CAFFEINE}", reasons.PRECURSOR_NOT_POSITIVE),
        (f"ADDUCT=[M+H]+\nPEPMASS=many\n{CAFFEINE}", reasons.PRECURSOR_NOT_A_NUMBER),
    ],
)
def test_else_the_record_stays_rejected(read, fields, reason):
    assert [entry.reason for entry in read(record(fields), derive_precursor=True)] == [reason]


def test_a_precursor_that_is_there_is_left_alone(read_one):
    spectrum = read_one(record(f"PEPMASS=195.1\nADDUCT=[M+H]+\n{CAFFEINE}"), derive_precursor=True)
    assert (spectrum.precursor_mz, spectrum.notes) == (195.1, ())
