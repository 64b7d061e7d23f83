import pytest

from specbridge_tools.reference.measured import MeasuredIons

PHENACETIN, PARACETAMOL = "CPJSUEIXXCENMM", "RZVAJINKPMORJF"


@pytest.mark.parametrize(
    ("key", "polarity", "mz", "kind"),
    [
        (PHENACETIN, 1, 180.1019, "same_ion"),
        (PHENACETIN, 1, 180.1118, "same_ion"),
        (PHENACETIN, 1, 180.1121, "same_polarity"),
        (PHENACETIN, 1, 197.1285, "same_polarity"),
        (PHENACETIN, -1, 178.0874, "other_polarity"),
        (PHENACETIN, 0, 180.1019, "same_ion"),
        (PARACETAMOL, -1, 150.0561, "same_ion"),
        ("AAAAAAAAAAAAAA", 1, 180.1019, "none"),
    ],
)
def test_what_a_reference_can_know(build, key, polarity, mz, kind):
    assert MeasuredIons([build()]).kind("Q", key, polarity=polarity, precursor_mz=mz) == kind


def test_files_of_several_encoders_count_together(build):
    paths = [build("R2", name="a.h5"), build("R1", name="b.h5", encoder="default")]
    assert MeasuredIons(paths).kind("Q", PHENACETIN, polarity=1, precursor_mz=180.1019) == "same_ion"
    assert MeasuredIons(paths[:1]).kind("Q", PHENACETIN, polarity=1, precursor_mz=180.1019) == "same_polarity"


def test_what_is_left_out_does_not_count(build):
    path = build()
    by_accession = MeasuredIons([path], leave_out="accession")
    assert by_accession.kind("R1", PHENACETIN, polarity=1, precursor_mz=180.1019) == "same_polarity"
    assert by_accession.kind("R2", PHENACETIN, polarity=1, precursor_mz=180.1019) == "same_ion"
    by_molecule = MeasuredIons([path], leave_out="molecule")
    assert by_molecule.kind("Q", PHENACETIN, polarity=1, precursor_mz=180.1019) == "none"


def test_an_empty_reference_knows_nothing(build):
    measured = MeasuredIons([build(text="")])
    assert measured.kind("Q", PHENACETIN, polarity=1, precursor_mz=180.1019) == "none"
