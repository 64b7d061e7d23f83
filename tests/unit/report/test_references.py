import dataclasses
import xml.etree.ElementTree as ET

import pytest
from builders import spectrum
from records_of_reference import RECORDS, mgf

from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder
from specbridge_tools.hits.table import QueryRows, parse_hits
from specbridge_tools.reference.accessions import Accessions
from specbridge_tools.reference.build import build_reference
from specbridge_tools.report.mirror_picture import draw_mirror
from specbridge_tools.report.references import reference_section
from specbridge_tools.report.spectrum_picture import EXPLAINED_COLOUR, OTHER_COLOUR

COLUMNS = (
    "query_id", "score", "reference_similarity", "reference_id", "reference_kind", "reference_licence", "analog_score",
    "analog_id", "inchikey14", "reason",
)  # fmt: skip


def hits(similarity="", accession="", kind="", licence="", analog="", analog_id=""):
    row = ("q", "1", similarity, accession, kind, licence, analog, analog_id, "KEY", "")
    return parse_hits(QueryRows(COLUMNS, [row]))


@pytest.fixture
def accessions(tmp_path):
    (tmp_path / "all.mgf").write_text(mgf(*RECORDS))
    build_reference([tmp_path / "all.mgf"], tmp_path / "ref.h5", encoder=ToyMoleculeEncoder())
    return Accessions([tmp_path / "ref.h5"])


def test_a_library_match_is_named_and_drawn(accessions):
    found = hits("0.93", "R1", "same_ion", "CC0")
    query = spectrum([(110.06, 5), (50.0, 1)], precursor_mz=180.102, id="q")
    section = reference_section(dataclasses.replace(found, spectra=(query,)), accessions)
    assert "library match: R1, similarity 0.93 ([M+H]+, LC-ESI-QTOF, CC0)" in section
    assert "q against reference R1" in section
    assert section.count("<img") == 1


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (("0.4", "R1", "same_ion"), "reference spectrum of the same ion: R1, similarity 0.40"),
        (("0.9", "R2", "same_polarity"), "reference spectrum of another ion of the same polarity: R2, similarity 0.90"),
        (("0.9", "R4", "other_polarity"), "reference spectrum of an ion of the other polarity: R4"),
        (("", "", "", "", "0.54", "R1"), "analog: phenacetin (R1), similarity 0.54"),
        (("", "", "", "", "0.54", "R5"), "analog: O=C(O)c1ccccc1 (R5)"),
        (("", "", "", "", "0.54", "unknown"), "analog: unknown, similarity 0.54"),
    ],
)
def test_what_is_less_than_a_match(accessions, values, text):
    section = reference_section(hits(*values), accessions)
    assert text in section
    assert "library match" not in section
    assert "<img" not in section


def test_without_the_reference_the_table_says_what_it_knows():
    assert "library match: R1, similarity 0.93 (CC0)" in reference_section(hits("0.93", "R1", "same_ion", "CC0"), None)
    assert reference_section(hits(), None) == ""


def test_a_table_without_similarities_is_no_failure():
    columns = ("query_id", "score", "reference_id", "analog_id", "inchikey14", "reason")
    for row, words in (
        (("q", "1", "R1", "", "KEY", ""), "reference spectrum of the molecule: R1, similarity nan"),
        (("q", "1", "", "R2", "KEY", ""), "analog: R2, similarity nan"),
    ):
        assert words in reference_section(parse_hits(QueryRows(columns, [row])), None)


def test_the_query_stands_up_and_the_reference_hangs_down():
    svg = draw_mirror([(50.0, 2.0), (60.0, 1.0)], [(50.005, 1.0), (70.0, 0.5)], tolerance=0.01, precursor_mz=80.0)
    peaks = [path for path in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}path") if path.get("stroke-width")]
    ends = [(path.get("stroke"), float(path.get("d").partition("V")[2]) - 130) for path in peaks]
    assert [(colour, end < 0) for colour, end in ends] == [
        (EXPLAINED_COLOUR, True),
        (OTHER_COLOUR, True),
        (EXPLAINED_COLOUR, False),
        (OTHER_COLOUR, False),
    ]
    assert ends[1][1] == pytest.approx(ends[0][1] / 2, abs=0.1)


def test_who_is_not_there_is_not_found(accessions):
    assert accessions.find("R9") is None
    assert accessions.find("R5").about == "[M+H]+, 20 eV, LC-ESI-QTOF, CC BY"
