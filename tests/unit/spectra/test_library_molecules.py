"""Libraries of spectra as molecules: name, structure and id of each record, whether its spectrum can be used or not."""

import io
import json

import pytest
from library_files import GNPS, MASSBANK, MONA, SIRIUS

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.molecules.reader import count_molecules, read_counted
from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra.library_molecules import read_library_molecules

MSP = "Name: {name}\nDB#: {id}\n{structure}\nPrecursorMZ: 100\nNum Peaks: 1\n50 1\n\n"
MGF = "BEGIN IONS\nTITLE=a\nNAME=ethanol\nPEPMASS=47\nSMILES=CCO\n50 1\nEND IONS\n"


def molecules(content, **settings):
    stream = io.BytesIO(content.encode())
    return [record for record, _ in read_counted(stream, fingerprint=None, library=read_library_molecules, **settings)]


def msp(*structures):
    return "".join(MSP.format(name=f"n{i}", id=f"i{i}", structure=text) for i, text in enumerate(structures, 1))


def test_msp():
    content = msp("SMILES: CCO", "InChI: InChI=1S/CH4/h1H4", "InChIKey: LFQSCWFLJHTTHZ-UHFFFAOYSA-N", "Comment: none")
    ethanol, methane, *rejected = molecules(content)
    assert (ethanol.id, ethanol.name, ethanol.smiles, ethanol.record, ethanol.line) == ("i1", "n1", "CCO", 1, 1)
    assert (methane.id, methane.smiles) == ("i2", "C")
    assert [(record.reason, record.id, record.record) for record in rejected] == [
        ("no structure", "i3", 3),
        ("no structure", "i4", 4),
    ]
    assert rejected[0].detail == "an InChIKey is not enough"


@pytest.mark.parametrize(
    ("content", "id", "name", "formula"),
    [
        (MGF, "a", "ethanol", "C2H6O"),
        (MASSBANK, "MSBNK-Athens_Univ-AU100601", "Sulfaclozine", "C10H9ClN4O2S"),
        (MONA, "AU100601", "Sulfaclozine", "C10H9ClN4O2S"),
        (GNPS, "CCMSLIB00000579358", "Theophyllin", "C7H8N4O2"),
    ],
)
def test_other_formats(content, id, name, formula):
    (molecule,) = molecules(content)
    assert (molecule.id, molecule.name, molecule.formula) == (id, name, formula)


@pytest.mark.parametrize("content", [MONA, GNPS], ids=["mona", "gnps"])
@pytest.mark.parametrize("separators", [None, (",", ":")])
@pytest.mark.parametrize("lines", [False, True])
def test_json_in_one_line(content, separators, lines):
    records = json.loads(content) * 2
    texts = [json.dumps(record, separators=separators) for record in records]
    written = "\n".join(texts) if lines else f"[{','.join(texts)}]"
    for mark in ("", "\ufeff"):
        assert [molecule.smiles for molecule in molecules(mark + written)] == [molecules(content)[0].smiles] * 2


@pytest.mark.parametrize(
    "content", ['[{"id": "a", "smiles": "CCO"}]', '{"smiles": "CCO",\n"id": "a"}', '[{"inchi": 1,']
)
def test_other_json_is_neither_library_nor_table(content):
    with pytest.raises(FormatError, match="is JSON; expected TSV"):
        molecules(content)


def test_each_spectrum_is_a_record():
    first, second, rejection = molecules(SIRIUS)
    assert first.smiles == second.smiles
    assert (first.formula, first.name) == ("C20H17NO6", "Bicuculline")
    assert rejection.reason == "no structure"


def test_the_inchi_counts_where_the_smiles_does_not():
    (molecule,) = molecules(msp("SMILES: N/A\nInChI: InChI=1S/CH4/h1H4"))
    assert molecule.smiles == "C"
    (molecule,) = molecules(msp("SMILES: C(C\nInChI: InChI=1S/CH4/h1H4"))
    assert molecule.smiles == "C"


def test_spectra_that_cannot_be_used_give_their_molecules():
    content = msp("SMILES: CCO").replace("PrecursorMZ: 100\n", "") + msp("SMILES: CCC").replace("50 1", "x y")
    assert [molecule.smiles for molecule in molecules(content)] == ["CCO", "CCC"]
    broken = MASSBANK.replace("PRECURSOR_TYPE [M+H]+", "PRECURSOR_TYPE odd").removesuffix("//\n")
    assert [molecule.formula for molecule in molecules(broken)] == ["C10H9ClN4O2S"]


def test_no_structure_at_all():
    with pytest.raises(DataError, match=r"all 2 records are rejected \(2 no structure\)"):
        molecules(msp("Comment: none", "Comment: x"))


def test_parts():
    content = msp(*(f"SMILES: {'C' * n}" for n in range(1, 6)))
    whole = molecules(content)
    assert count_molecules(io.BytesIO(content.encode()), library=read_library_molecules) == 5
    assert molecules(content, record_range=RecordRange(1, 3)) == whole[1:3]


@pytest.mark.parametrize(
    ("content", "n"),
    [
        ("smiles\tname\nCCO\tBEGIN IONS\n", 1),
        ("name,smiles\nName: x,CCO\n", 1),
        ("CCO\tName: x\n", 1),
        ("x\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n> <A>\nName: x\n\n$$$$\n", 1),
    ],
)
def test_files_of_molecules_stay_what_they_are(content, n):
    records = molecules(content, may_lack_molecules=True)
    assert len(records) == n
    assert all(isinstance(record, Rejection) or record.smiles == "CCO" for record in records)


def test_spectra_without_structures_are_no_library():
    with pytest.raises(FormatError, match="expected TSV"):
        molecules('<?xml version="1.0"?>\n<mzML></mzML>')
