"""Spectra of MS3 and deeper: skipped, or spectra of their MS2 precursor."""

import collections
import io

import pytest

from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import msn, reasons
from specbridge_tools.spectra.mgf import mgf_text
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.reading import Reading

MSP = "Name: a\n{}\nAdduct: [M+H]+\nMS level: 3\nNum Peaks: 1\n134.04 9\n"
MGF = "BEGIN IONS\nTITLE=a\nPEPMASS=138.0662 7\nCHARGE=1+\nMSLEVEL={}\n{}110.07 100\nEND IONS\n"
CHAIN = "MSn_precursor_mzs=[195.0877,138.0662]\n"


def parameter(accession, value):
    return f'<cvParam accession="{accession}" name="" value="{value}"/>'


def precursor(mz, *, charge=1, width=0.5, level=None, parent=None, energy=None):
    """An mzML precursor, as msconvert writes it, of the spectrum `parent` of this `level`."""
    window = parameter("MS:1000827", mz) + parameter("MS:1000828", width) + parameter("MS:1000829", width)
    window += f'<userParam name="ms level" value="{level}"/>' if level else ""
    ion = parameter("MS:1000744", mz) + (parameter("MS:1000041", charge) if charge else "")
    activation = f"<activation>{parameter('MS:1000045', energy)}</activation>" if energy else ""
    reference = f' spectrumRef="{parent}"' if parent else ""
    return (
        f"<precursor{reference}><isolationWindow>{window}</isolationWindow>"
        f"<selectedIonList><selectedIon>{ion}</selectedIon></selectedIonList>{activation}</precursor>"
    )


def spectrum(make, name, level, *precursors):
    return make.spectrum(id=name, level=str(level), precursors="".join(precursors))


def ions(records):
    return [(record.id, record.precursor_mz, record.charge) for record in records]


@pytest.mark.parametrize("level", ["3", "4", "MS3"])
def test_a_field_states_the_chain_of_precursors(read, read_one, level):
    text = MGF.format(level, CHAIN)
    skipped = collections.Counter()
    assert read(text, skipped=skipped) == []
    assert skipped == {reasons.SKIPPED_MS3: 1}
    spectrum = read_one(text, msn=True)
    assert (spectrum.precursor_mz, spectrum.charge) == (195.0877, 1)
    assert spectrum.metadata["selected_ion_mz"] == "138.0662"
    again = read_one(mgf_text(spectrum), msn=True)
    assert (again.precursor_mz, again.metadata) == (spectrum.precursor_mz, spectrum.metadata)


@pytest.mark.parametrize("field", ["", "MSn_precursor_mzs=[138.0662]\n", "MSN_PRECURSOR_MZS=None\n"])
def test_without_it_the_record_is_rejected(read, field):
    (rejected,) = read(MGF.format(3, field), msn=True)
    assert (rejected.reason, rejected.id, rejected.record) == (reasons.NO_MS2_PRECURSOR, "a", 1)


def test_msp_with_a_precursor_as_in_massbank(read, read_one):
    spectrum = read_one(MSP.format("PrecursorMZ: 289.0712/245.0814"), msn=True)
    assert (spectrum.precursor_mz, spectrum.adduct) == (289.0712, "[M+H]+")
    assert spectrum.metadata["selected_ion_mz"] == "245.0814"
    assert read(MSP.format("PrecursorMZ: 245.0814"), msn=True)[0].reason == reasons.NO_MS2_PRECURSOR


def test_ms1_is_skipped_as_ever_and_ms2_read_as_ever(read, read_one):
    skipped = collections.Counter()
    assert read(MGF.format(1, CHAIN), skipped=skipped, msn=True) == []
    assert skipped == {reasons.SKIPPED_MS1: 1}
    assert mgf_text(read_one(MGF.format(2, ""), msn=True)) == mgf_text(read_one(MGF.format(2, "")))


def test_mzml_follows_the_references(read, make):
    text = make.file(
        spectrum(make, "scan=1", 1),
        spectrum(make, "scan=2", 2, precursor(195.0877, charge=2, parent="scan=1")),
        spectrum(make, "scan=3", 3, precursor(138.0662, parent="scan=2", energy=35)),
        spectrum(make, "scan=4", 4, precursor(110.0713, parent="scan=3")),
        spectrum(make, "scan=5", 3, precursor(138.0662, parent="scan=9")),
        spectrum(make, "scan=6", 3, precursor(138.0662)),
    )
    assert ions(read(text)) == [("scan=2", 195.0877, 2)]
    records = read(text, msn=True)
    assert ions(records[:3]) == [("scan=2", 195.0877, 2), ("scan=3", 195.0877, 2), ("scan=4", 195.0877, 2)]
    assert [record.metadata.get("selected_ion_mz") for record in records[:3]] == [None, "138.0662", "110.0713"]
    assert [record.metadata.get("collision_energy") for record in records[:3]] == [None, "35", None]
    assert [record.reason for record in records[3:]] == [reasons.NO_MS2_PRECURSOR] * 2


def test_mzml_with_both_precursors_and_their_levels(read_one, make):
    chain = [precursor(138.0662, level=2, energy=35), precursor(195.0877, level=1, energy=20)]
    for order in (chain, chain[::-1]):
        record = read_one(make.file(spectrum(make, "a", 3, *order)), msn=True)
        assert (record.precursor_mz, record.charge, record.metadata["selected_ion_mz"]) == (195.0877, 1, "138.0662")
        assert record.metadata["collision_energy"] == "35"


def test_a_shard_knows_the_parents_before_it(make):
    text = make.file(
        spectrum(make, "scan=2", 2, precursor(195.0877)), spectrum(make, "scan=3", 3, precursor(138.1, parent="scan=2"))
    )
    stream = io.BytesIO(text.encode())
    (record,) = read_spectra(stream, reading=Reading(msn=True), record_range=RecordRange(1, 2))
    assert (record.id, record.precursor_mz, record.record) == ("scan=3", 195.0877, 2)


def test_no_molecule_of_a_dia_window(read, make):
    text = make.file(
        spectrum(make, "scan=2", 2, precursor(413.0, width=13)),
        spectrum(make, "scan=3", 3, precursor(138.1, parent="scan=2")),
    )
    assert [record.reason for record in read(text, msn=True)] == [reasons.WIDE_ISOLATION, reasons.NO_MS2_PRECURSOR]


def test_only_so_many_parents_are_remembered(read, make, monkeypatch):
    monkeypatch.setattr(msn, "_MOST_ANCESTORS", 1)
    parents = [spectrum(make, f"scan={i}", 2, precursor(195.5 + i)) for i in (1, 2)]
    deeper = [spectrum(make, f"deep={i}", 3, precursor(138.1, parent=f"scan={i}")) for i in (2, 1)]
    records = read(make.file(*parents, *deeper), msn=True)
    assert records[2].precursor_mz == 197.5
    assert records[3].reason == reasons.NO_MS2_PRECURSOR


def test_mzxml_by_nesting_and_by_number(read, make_mzxml):
    scan = make_mzxml.scan
    deeper = scan(num="4", level="3", precursors='<precursorMz precursorIntensity="1">163.06</precursorMz>')
    named = '<precursorMz precursorScanNum="3" precursorIntensity="1">163.06</precursorMz>'
    lost = '<precursorMz precursorScanNum="99" precursorIntensity="1">163.06</precursorMz>'
    text = make_mzxml.file(
        scan(num="3", within=deeper),
        scan(num="5", level="3", precursors=named),
        scan(num="6", level="3", precursors=lost),
    )
    assert [record.id for record in read(text)] == ["3"]
    records = read(text, msn=True)
    assert [(record.id, record.precursor_mz) for record in records[:3]] == [(n, 381.0795) for n in "345"]
    assert [record.metadata["selected_ion_mz"] for record in records[1:3]] == ["163.06"] * 2
    assert records[3].reason == reasons.NO_MS2_PRECURSOR


def test_a_record_of_massbank(read, read_one):
    text = (
        "ACCESSION: MSBNK-A-1\nAC$MASS_SPECTROMETRY: MS_TYPE MS3\nAC$MASS_SPECTROMETRY: ION_MODE POSITIVE\n"
        "MS$FOCUSED_ION: PRECURSOR_M/Z 289.0712/245.0814\nMS$FOCUSED_ION: PRECURSOR_TYPE [M+H]+\n"
        "PK$NUM_PEAK: 1\nPK$PEAK: m/z int. rel.int.\n  134.04 9 999\n//\n"
    )
    assert read(text) == []
    spectrum = read_one(text, msn=True)
    assert (spectrum.precursor_mz, spectrum.metadata["selected_ion_mz"]) == (289.0712, "245.0814")


@pytest.mark.parametrize("chain", ['"[195.0877, 138.0662]"', "[195.0877, 138.0662]"])
def test_a_record_of_gnps(read, read_one, chain):
    text = (
        f'[{{"title": "a", "precursor_mz": 138.0662, "ms_level": "3", "msn_precursor_mzs": {chain}, '
        '"peaks_json": "[[110.07, 5]]"}]'
    )
    assert read(text) == []
    spectrum = read_one(text, msn=True)
    assert (spectrum.precursor_mz, spectrum.metadata["msn_precursor_mzs"]) == (195.0877, "[195.0877,138.0662]")
