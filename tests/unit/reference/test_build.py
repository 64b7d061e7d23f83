import io

import numpy as np
import pytest
from records_of_reference import RECORDS, mgf

from specbridge_tools.errors import NoneUsableError
from specbridge_tools.records import Tally
from specbridge_tools.reference.build import REPEATED_ACCESSION, UNFITTING, build_reference
from specbridge_tools.reference.file import read_references
from specbridge_tools.reference.reference import Reference
from specbridge_tools.shards import RecordRange


def test_what_is_in_the_file(build):
    spectra, texts, molecules, space = read_references([build()])
    assert list(texts.accession) == ["R1", "R2", "R3", "R4", "R5"]
    assert spectra.molecule.tolist() == [0, 0, 1, 1, 2]
    assert spectra.precursor.tolist() == [1_801_019, 2_020_838, 1_520_706, 1_500_561, 1_230_441]
    assert spectra.polarity.tolist() == [1, 1, 1, -1, 1]
    assert np.isnan(spectra.energy).tolist() == [True] * 4 + [False]
    assert spectra.energy[4] == 20
    assert [texts.text("adduct", row) for row in range(4)] == ["[M+H]+", "[M+Na]+", "[M+H]+", "[M-H]-"]
    assert [texts.text("licence", row) for row in (0, 4)] == ["CC0", "CC BY"]
    assert texts.text("instrument", 0) == "LC-ESI-QTOF"
    assert [texts.text("collision_energy", row) for row in (0, 4)] == ["", "20 eV"]
    assert molecules.smiles[0] == "CCOc1ccc(NC(C)=O)cc1"
    assert list(molecules.name) == ["phenacetin", "paracetamol", ""]
    assert list(molecules.formula) == ["C10H13NO2", "C8H9NO2", "C7H6O2"]
    assert list(molecules.inchikey14) == ["CPJSUEIXXCENMM", "RZVAJINKPMORJF", "WPYMKLBDIGXBTP"]
    assert molecules.embedding.shape == (3, 32)
    mz, intensity = spectra.peaks(0)
    assert mz.tolist() == [110.06, 138.09, 180.10]
    assert intensity == pytest.approx([1, 5 / 9, 2 / 9], abs=1e-5)
    assert space.encoder == "toy:dimension=32"


def test_vectors_that_follow_from_the_counts_are_not_stored(build):
    path = build("R1", encoder="default")
    reference = Reference.open(path)
    assert reference.molecules.embedding.shape == (0, 512)
    (bits, vectors), features = reference.analog_features(np.array([0])), reference.features(["CCOc1ccc(NC(C)=O)cc1"])
    assert vectors.tolist() == features.vectors.tolist()
    assert np.flatnonzero(bits[0]).tolist() == features.bits.indices.tolist()


def test_what_is_no_reference_is_counted(build):
    text = mgf("R1") + mgf("R1", smiles="CCO") + mgf("R3", smiles="") + mgf("R5", smiles="*") + mgf("R1", mz=180.1059)
    text = text.replace("TITLE=R1", "TITLE=X", 2).replace("TITLE=X", "TITLE=R1", 1)
    tally, rejects = Tally(), io.StringIO()
    tally = Tally(rejects=rejects)
    build(text=text + mgf("R1") + mgf("R4", adduct="", charge="0", mz=150.0561), tally=tally)
    assert tally.reasons == {UNFITTING: 2, "no structure": 2, REPEATED_ACCESSION: 1}
    assert (tally.n_read, tally.n_written) == (7, 2)
    assert "180.1019, expected 47.0491" in rejects.getvalue()
    assert "180.1059, expected 180.1019" in rejects.getvalue()


def test_a_precursor_that_is_missing_follows_from_adduct_and_structure(build):
    spectra, *_ = read_references([build(text=mgf("R1").replace("PEPMASS=180.1019\n", ""))])
    assert spectra.precursor.tolist() == [1_801_019]


def test_a_wider_tolerance_lets_more_in(build):
    spectra, *_ = read_references([build(text=mgf("R1", mz=180.1059), tolerance_ppm=30)])
    assert len(spectra) == 1


def test_shards_hold_their_records(build, tmp_path):
    low = build(name="low.h5", record_range=RecordRange(0, 2))
    high = build(name="high.h5", record_range=RecordRange(2, 5))
    assert list(read_references([low])[1].accession) == ["R1", "R2"]
    assert list(read_references([high])[1].accession) == ["R3", "R4", "R5"]
    assert list(read_references([high])[2].inchikey14) == ["RZVAJINKPMORJF", "WPYMKLBDIGXBTP"]


def test_records_of_several_files_are_counted_through(tmp_path, toy):
    for title in RECORDS:
        (tmp_path / f"{title}.mgf").write_text(mgf(title))
    files = [tmp_path / f"{title}.mgf" for title in RECORDS]
    build_reference(files, tmp_path / "ref.h5", encoder=toy, record_range=RecordRange(1, 3))
    assert list(read_references([tmp_path / "ref.h5"])[1].accession) == ["R2", "R3"]


def test_an_empty_file_gives_an_empty_reference(build, query):
    reference = Reference.open(build(text=""))
    assert len(reference) == 0
    evidence = reference.match([query]).evidence(["CPJSUEIXXCENMM"], reference.features(["CCOc1ccc(NC(C)=O)cc1"]))
    assert evidence.values.tolist() == [[0] * 9]


def test_where_nothing_can_be_used_it_fails_unless_that_is_allowed(build, tmp_path):
    with pytest.raises(NoneUsableError, match="none of 1 records can be used"):
        build(text=mgf("R1", smiles=""), tally=Tally(allow_empty=False))
    assert not (tmp_path / "ref.h5").exists()


def test_the_contributor_of_a_record_of_massbank_is_in_its_accession(build):
    path = build(text=mgf("R1").replace("TITLE=R1", "TITLE=MSBNK-Eawag-EQ1"))
    assert read_references([path])[1].text("contributor", 0) == "MassBank Eawag"
