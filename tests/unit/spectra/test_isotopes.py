"""The MS1 peaks around a precursor, from the files that have them."""

import numpy as np
import pytest

from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra.isotopes import WITH_ISOTOPES

MS1 = ((154.5, 1.0), (154.9905, 100.0), (155.9939, 7.8), (156.9876, 32.1), (170.0, 5.0))
SIRIUS = ">compound a\n>parentmass 154.9905\n>ionization [M-H]-\n\n>ms1\n{}\n>ms2 20\n111.0 5\n>ms2 30\n111.0 9\n"
MAT = "NAME: a\nPRECURSORMZ: 154.9905\nPRECURSORTYPE: [M-H]-\n{}MSTYPE: MS2\nNum Peaks: 1\n111.0\t5\n\n"
PART = "MSTYPE: MS1\nNum Peaks: 5\n{}"


def lines(separator=" "):
    return "".join(f"{mz}{separator}{intensity}\n" for mz, intensity in MS1)


def check(spectrum):
    assert spectrum.isotopes == pytest.approx(np.array(MS1[1:4]), rel=1e-6)
    assert spectrum.notes == (WITH_ISOTOPES,)


def test_sirius(read):
    for spectrum in read(SIRIUS.format(lines()), isotopes=True):
        check(spectrum)
    first, second = read(SIRIUS.format(lines()))
    assert (len(first.isotopes), len(second.isotopes), first.notes) == (0, 0, ())


def test_ms_finder(read):
    with_part, without = MAT.format(PART.format(lines("\t"))), MAT.format("")
    first, second, third = read(with_part + without + with_part, isotopes=True)
    check(first)
    check(third)
    assert (len(second.isotopes), second.notes) == (0, ())
    assert len(read(with_part)[0].isotopes) == 0
    broken = MAT.format(PART.format("154.9905 many\n" * 5))
    assert [len(one.isotopes) for one in read(broken, isotopes=True)] == [0]


MGF = "BEGIN IONS\nFEATURE_ID={}\nPEPMASS=154.9905\nCHARGE=1-\nMSLEVEL={}\n{}END IONS\n\n"


def test_mgf_of_mzmine(read):
    content = MGF.format(1, 1, lines()) + MGF.format(1, 2, "111.0 5\n") + MGF.format(1, 2, "112.0 5\n")
    content += MGF.format(2, 2, "111.0 5\n")
    records = read(content, isotopes=True)
    assert [len(record.isotopes) for record in records] == [3, 3, 0]
    check(records[0])
    assert [len(record.isotopes) for record in read(content)] == [0, 0, 0]
    # whoever reads a part of the file finds the same
    (second,) = read(content, isotopes=True, record_range=RecordRange(2, 3))
    check(second)


def test_mzml(read, make):
    mz, intensity = zip(*MS1, strict=True)
    ion = make.parameter("MS:1000744", "154.9905")
    survey = make.spectrum(mz, intensity, level="1", precursors="")
    profile = make.spectrum(mz, intensity, level="1", precursors="", extra=make.parameter("MS:1000128"))
    scan = make.spectrum((111.0,), (5.0,), ion=ion)
    content = make.file(scan, survey, scan, scan, profile, scan)
    records = read(content, isotopes=True)
    assert [len(record.isotopes) for record in records] == [0, 3, 3, 0]
    check(records[1])
    assert [len(record.isotopes) for record in read(content)] == [0, 0, 0, 0]


def test_mzxml(read, make_mzxml):
    mz, intensity = zip(*MS1, strict=True)

    def scan(**attributes):
        ion = '<precursorMz precursorIntensity="5" precursorCharge="1">154.9905</precursorMz>'
        return make_mzxml.scan((111.0,), (5.0,), precursors=ion, polarity="-", **attributes)

    def survey(**attributes):
        return make_mzxml.scan(mz, intensity, level="1", **attributes)

    # those within a survey scan and those behind it; profiles, and what does not say, have no peaks to compare
    content = make_mzxml.file(scan(), survey(within=scan()), scan(), survey(centroided="0"), scan())
    records = read(content, isotopes=True)
    assert [len(record.isotopes) for record in records] == [0, 3, 3, 0]
    check(records[1])
    assert [len(record.isotopes) for record in read(content)] == [0, 0, 0, 0]
    (third,) = read(content, isotopes=True, record_range=RecordRange(3, 4))
    check(third)
    cut = survey(peaks='<peaks precision="32">AAAA</peaks>')
    unsure = make_mzxml.file(survey(), survey(centroided=None), scan(), survey(), cut, scan())
    assert [len(record.isotopes) for record in read(unsure, isotopes=True)] == [0, 0]


@pytest.mark.parametrize("content", [MAT.format(PART.format(lines())).replace("154.9905\nPRECURSORT", "0\nPRECURSORT")])
def test_a_rejected_record_stays_one(read, content):
    (record,) = read(content, isotopes=True)
    assert isinstance(record, Rejection)
