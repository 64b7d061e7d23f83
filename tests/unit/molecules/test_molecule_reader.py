"""Molecules from files of every format."""

import bz2
import gzip
import io
import itertools

import pytest
from rdkit import Chem

from specbridge_tools.errors import DataError, FormatError, UsageError
from specbridge_tools.molecules.molecule import Molecule
from specbridge_tools.molecules.reader import read_molecules, read_raw
from specbridge_tools.records import Rejection

ETHANOL = "LFQSCWFLJHTTHZ"
CAFFEINE = "Cn1cnc2c1c(=O)n(C)c(=O)n2C"


def read(text, **settings):
    data = text if isinstance(text, bytes) else text.encode()
    return list(read_molecules(io.BytesIO(data), threads=1, **settings))


def sdf(*records):
    """(SMILES, title, {field: value}) -> SDF."""
    text = ""
    for smiles, title, fields in records:
        text += f"{title}\n" + Chem.MolToMolBlock(Chem.MolFromSmiles(smiles)).split("\n", 1)[1]
        text += "".join(f">  <{name}>\n{value}\n\n" for name, value in fields.items()) + "$$$$\n"
    return text


def test_a_row_becomes_a_molecule():
    (molecule,) = read("id\tname\tSMILES\nX1\tL-alanine\tC[C@H](N)C(=O)O\n")
    assert molecule == Molecule(
        id="X1",
        smiles="CC(N)C(=O)O",
        inchikey14="QNAYBMKLOCPYGJ",
        formula="C3H7NO2",
        exact_mass=molecule.exact_mass,
        name="L-alanine",
        isomeric_smiles="C[C@H](N)C(=O)O",
        record=1,
        line=2,
    )
    assert molecule.exact_mass == pytest.approx(89.047678, abs=1e-6)


@pytest.mark.parametrize(
    ("header", "row", "identifier", "name"),
    [
        ("smiles", "CCO", "record=1", ""),
        ("#smiles", "CCO", "record=1", ""),
        ("canonical_smiles\tcompound_id", "CCO\t7", "7", ""),
        ("CID\tIsomericSMILES\tIUPACName\tTitle", "702\tCCO\tx\tethanol", "702", "ethanol"),
        ("molecule_chembl_id\tSmiles\tpref_name", "CHEMBL545\tCCO\tALCOHOL", "CHEMBL545", "ALCOHOL"),
        ("id\tInChI", "e\tInChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3", "e", ""),
        ("id\tsmiles\tinchi", "e\t\tInChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3", "e", ""),
        ("id\tsmiles", "e\tInChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3", "e", ""),
        ("accession,smiles,name", 'A1,CCO,"ethanol, pure"', "A1", "ethanol, pure"),
        ("accession,smiles,name", 'A1,CCO,"""spirit"""', "A1", '"spirit"'),
        ('"id";"smiles"', '"A1";"CCO"', "A1", ""),
        ('"id"\t"smiles"', '"A1"\t"CCO"', "A1", ""),
        ("id\tsmiles\tname", 'A\tCCO\t5" tube', "A", '5" tube'),
        ("structure_smiles,lotus_id", "CCO,LTS1", "LTS1", ""),
        ("MS_READY_SMILES\tDTXSID", "CCO\tDTXSID9020584", "DTXSID9020584", ""),
        ("id\tsmiles\tname", "  A  \t CCO \t a  b ", "A", "a b"),
        ("id\tsmiles", "\tCCO", "record=1", ""),
        ("id\tsmiles\tname", "A\tCCO", "A", ""),
        ("id\tsmiles", "A\tCCO\t\t", "A", ""),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_columns_are_found_by_their_names(header, row, identifier, name, end):
    (molecule,) = read(f"{header}{end}{row}{end}")
    assert (molecule.inchikey14, molecule.id, molecule.name) == (ETHANOL, identifier, name)


@pytest.mark.parametrize(
    ("header", "row", "identifier", "name"),
    [
        ("Compound_CID,Name,SMILES", "702,ethanol,CCO", "702", "ethanol"),
        ("cid,cmpdname,canonicalsmiles,isosmiles", "702,ethanol,CCO,CCO", "702", "ethanol"),
        ("Identifier,FirstBlock,CompoundName,SMILES", "702,LFQSCWFLJHTTHZ,ethanol,CCO", "702", "ethanol"),
        (
            "DTXCID_INDIVIDUAL_COMPONENT,MAPPED_DTXSID,PREFERRED_NAME_DTXSID,MS_READY_SMILES",
            "DTXCID00584,DTXSID9020584,ethanol,CCO", "DTXSID9020584", "ethanol",
        ),
        ("DTXSID,PREFERRED NAME,CASRN,SMILES", "DTXSID9020584,ethanol,64-17-5,CCO", "DTXSID9020584", "ethanol"),
        ('"ChEMBL ID";"Name";"Smiles"', '"CHEMBL545";"ALCOHOL";"CCO"', "CHEMBL545", "ALCOHOL"),
        ("chembl_id\tcanonical_smiles\tstandard_inchi", "CHEMBL545\tCCO\tNA", "CHEMBL545", ""),
        ("structure_wikidata,structure_smiles,structure_nameTraditional", "Q153,CCO,ethanol", "Q153", "ethanol"),
        ("identifier,canonical_smiles,name,iupac_name", "CNP0138031.0,CCO,,ethanol", "CNP0138031.0", "ethanol"),
        ("HMDB_ID,NAME,SMILES", "HMDB0000108,Ethanol,CCO", "HMDB0000108", "Ethanol"),
        ("Identifier|CompoundName|SMILES|InChI", "702|ethanol|CCO|NA", "702", "ethanol"),
        (
            "compound_db_identity:compound_name,compound_db_identity:smiles,compound_db_identity:pubchem_cid",
            "ethanol,CCO,702", "record=1", "ethanol",
        ),
        ("CompoundName\tPubChemCID\tsmiles", "ethanol\t702\tCCO", "702", "ethanol"),
        ("id,cid,name,title,smiles", "NA,702,-,ethanol,CCO", "702", "ethanol"),
        ("id,name,smiles", "NA,None,CCO", "record=1", ""),
    ],
)  # fmt: skip
def test_ids_and_names_of_public_tables(header, row, identifier, name):
    (molecule,) = read(f"{header}\n{row}\n")
    assert (molecule.inchikey14, molecule.id, molecule.name) == (ETHANOL, identifier, name)


@pytest.mark.parametrize("missing", ["", "NA", "N/A", "nan", "NaN", "None", "-", "null", "<NA>", "#N/A", "\\N"])
def test_a_missing_value_leaves_its_place_to_the_next_column(missing):
    inchi = "InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3"
    for header in ("smiles\tinchi", "inchi\tsmiles"):
        cells = (missing, inchi) if header.startswith("smiles") else (inchi, missing)
        (molecule,) = read(header + "\n" + "\t".join(cells) + "\n")
        assert molecule.inchikey14 == ETHANOL
    (molecule,) = read(f"SMILES,QSAR_READY_SMILES,INCHI\n{missing},CCO,{missing}\n")
    assert molecule.inchikey14 == ETHANOL


def test_of_several_columns_of_structures_the_one_that_parses_is_taken():
    rows = ("see note\tCCO\t", "C1CC\t\tInChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3", "CCO\tCCC\t", "C1CC\tC2\tx")
    first, second, third, fourth = read("\n".join(("smiles\tcanonical_smiles\tinchi", *rows)))
    assert [molecule.inchikey14 for molecule in (first, second, third)] == [ETHANOL] * 3
    assert (fourth.reason, fourth.detail) == ("structure cannot be read", "C1CC")
    assert read("smiles_checked,parent_smiles\nyes,CCO\n")[0].inchikey14 == ETHANOL
    # the bare skeleton is no substitute
    assert read("smiles,sugar_free_smiles\nCCC,CCO\n,CCO\n")[1].reason == "no structure"


@pytest.mark.parametrize(
    "text",
    [
        'smiles\tid\n"CCO"\t"A"\n',
        '"smiles"\t"id"\n"1"\t"CCO"\t"A"\n',
        '"smiles" "id"\n"CCO" "A"\n',
        '"id" "smiles"\n"1" "A" "CCO"\n',
        "smiles\tid\n1\tCCO\tA\n",
        '"","smiles","id"\n"1","CCO","A"\n',
        '"id, or so";"id";"smiles"\n"1";"A";"CCO"\n',
    ],
)
def test_tables_as_r_writes_them(text):
    (molecule,) = read(text)
    assert (molecule.inchikey14, molecule.id) == (ETHANOL, "A")


@pytest.mark.parametrize("separator", [" ", "\t"])
def test_a_smi_file_with_the_ids_first(separator):
    first, second = read(f"1{separator}{CAFFEINE}{separator}caffeine, pure\nX-2{separator}CCO\n")
    assert (first.inchikey14, first.id, first.name) == ("RYYVLZVUVIJVGH", "1", "caffeine, pure")
    assert (second.inchikey14, second.id, second.name) == (ETHANOL, "X-2", "X-2")


def test_missing_values_in_a_smi_file():
    first, second = read("CCO NA\nNA x\n")
    assert (first.id, first.name) == ("record=1", "")
    assert (second.reason, second.id) == ("no structure", "x")


def test_a_bad_line_at_the_start_of_a_smi_file_hides_nothing():
    first, second, third = read("hello\nCCO a\nCCC b\n")
    assert (first.reason, second.id, third.id) == ("structure cannot be read", "a", "b")


@pytest.mark.parametrize(
    "text", ["61.9792 144847 69\n68.0243 1564399.8 755\n", "100.1\t20\n101\t5\n", "1,2\n3,4\n", "7\n8\n"]
)
def test_numbers_are_no_molecules(text):
    with pytest.raises(FormatError, match="is of no known format; it begins with"):
        read(text)


def test_a_column_can_be_named():
    table = "id\tsmiles\tparent\nA\tCCC\tCCO\n"
    assert read(table, smiles_column="parent")[0].inchikey14 == ETHANOL
    assert read(table, smiles_column="PARENT")[0].inchikey14 == ETHANOL
    assert read("mol,id\nCCO,1\n", smiles_column="mol")[0].id == "1"
    with pytest.raises(DataError, match=r"has no column 'nosuch'; its columns: id, smiles, parent; --smiles-column"):
        read(table, smiles_column="nosuch")


def test_a_table_without_structures_names_its_columns():
    with pytest.raises(DataError, match="has no column of SMILES or InChI; its columns: id, formula"):
        read("id\tformula\nA\tC2H6O\n")


def test_a_quoted_cell_may_go_on_over_lines():
    first, second = read('id,name,smiles\nA,"two\nlines",CCO\nB,,CCC\n')
    assert (first.id, first.name, first.line) == ("A", "two lines", 2)
    assert (second.id, second.line) == ("B", 4)


def test_an_open_quote_costs_its_own_line_only():
    rest = "".join(f"N{i},,CCO\n" for i in range(200))
    records = read(f'id,name,smiles\nA,"open,CCO\n{rest}')
    assert records[0] == Rejection("unbalanced quote", id="record=1", record=1, line=2, source="<stream>")
    assert [record.id for record in records[1:]] == [f"N{i}" for i in range(200)]


@pytest.mark.parametrize(
    ("line", "structure", "identifier", "name"),
    [
        ("CCO", "CCO", "record=1", ""),
        ("CCO ethanol", "CCO", "ethanol", "ethanol"),
        ("CCO\tethanol", "CCO", "ethanol", "ethanol"),
        ("CCO\tE1\tethyl alcohol", "CCO", "E1", "ethyl alcohol"),
        ("CCO ethyl alcohol", "CCO", "ethyl alcohol", "ethyl alcohol"),
        ("CCO |$;;$| ethanol", "CCO", "ethanol", "ethanol"),
        ("InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3 e", "InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3", "e", "e"),
    ],
)
@pytest.mark.parametrize("before", ["", "SMILES Name\n", "# a comment\n", "\n\n"])
def test_smi_lines(line, structure, identifier, name, before):
    (raw,) = read_raw(io.BytesIO(f"{before}{line}\n".encode()))
    assert (raw.text, raw.id, raw.name) == (structure, identifier, name)
    assert read(f"{before}{line}\n")[0].inchikey14 == ETHANOL


def test_sdf_records():
    text = sdf(
        ("CCO", "a title", {"PUBCHEM_COMPOUND_CID": "702", "NAME": "ethanol"}),
        ("CCC", "propane", {}),
        (CAFFEINE, "", {"Comment": "no id"}),
    )
    first, second, third = read(text)
    assert (first.inchikey14, first.id, first.name, first.record, first.line) == (ETHANOL, "702", "ethanol", 1, 1)
    assert (second.id, second.name) == ("propane", "propane")
    assert (third.id, third.name, third.record) == ("record=3", "", 3)
    assert text.splitlines()[second.line - 1] == "propane"


def test_v3000_and_the_last_record_without_its_end():
    block = Chem.MolToV3KMolBlock(Chem.MolFromSmiles("CCO"))
    assert [molecule.inchikey14 for molecule in read(block)] == [ETHANOL]


@pytest.mark.parametrize("content", ["id\tsmiles\nA\tCCO\n", "CCO\tA\n", sdf(("CCO", "A", {}))])
@pytest.mark.parametrize("mark", [b"", "\ufeff".encode()])
def test_plain_or_gzip_from_a_path_whatever_its_name(tmp_path, content, mark):
    for name, data in (("plain.dat", mark + content.encode()), ("zipped.dat", gzip.compress(mark + content.encode()))):
        (tmp_path / name).write_bytes(data)
        assert [molecule.id for molecule in read_molecules(tmp_path / name, threads=1)] == ["A"]


def test_utf16_as_spreadsheets_write_it():
    (molecule,) = read("\ufeffid\tname\tsmiles\nA\tÄthanol\tCCO\n".encode("utf-16-le"))
    assert molecule.name == "Äthanol"


@pytest.mark.parametrize("content", ["", "\n \n", "id\tsmiles\n"])
def test_nothing_in_it(content):
    assert read(content) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x89HDF\r\n\x1a\n....", "is an HDF5 file"),
        (bz2.compress(b"CCO"), "is a bzip2 file"),
        (gzip.compress(gzip.compress(b"CCO")), "is gzip within gzip"),
        (b"BEGIN IONS\nTITLE=x\n", "is of no known format; it begins with 'BEGIN IONS'"),
        (b"C\x00\x01\x02", "is binary data"),
        (b"hello", "is of no known format"),
    ],
)
def test_other_formats_are_named(data, message):
    with pytest.raises(FormatError, match=message):
        read(data)


def test_a_forced_format_is_not_sniffed():
    assert read("smiles,id\nCCO,1\n", input_format="csv")[0].id == "1"
    assert [record.reason for record in read("hello\nCCO\n", input_format="smi")[:1]] == ["structure cannot be read"]
    with pytest.raises(FormatError, match="is no file of molecules: its only record is no structure"):
        read("hello\n", input_format="smi")
    with pytest.raises(UsageError, match="no format 'xls'"):
        read("CCO", input_format="xls")


def test_reading_is_lazy():
    class Endless(io.RawIOBase):
        def __init__(self):
            self.rows = itertools.chain([b"id\tsmiles\n"], itertools.repeat(b"A\tCCO\n"))
            self.n_read = 0

        def readable(self):
            return True

        def readinto(self, target):
            row = next(self.rows)
            self.n_read += len(row)
            target[: len(row)] = row
            return len(row)

    source = Endless()
    molecules = read_molecules(source, threads=1)
    assert [next(molecules).inchikey14 for _ in range(3)] == [ETHANOL] * 3
    assert source.n_read < 2_000_000
    assert not source.closed


def test_only_what_was_opened_is_closed(tmp_path):
    with open(tmp_path / "x.smi", "w+b") as file:
        file.write(b"CCO\n")
        file.seek(0)
        assert len(list(read_molecules(file, threads=1))) == 1
        assert not file.closed


def test_a_cut_gzip_stream_is_a_data_error(tmp_path):
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(b"id\tsmiles\n" + b"A\tCCO\n" * 100_000)[:500])
    with pytest.raises(DataError, match="broken gzip stream"):
        list(read_raw(path))


def test_a_missing_file_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        list(read_molecules(tmp_path / "nosuch.tsv", threads=1))


@pytest.mark.parametrize("missing", ["NA", "N/A", "nan", "None", "-", " NULL "])
def test_a_missing_smiles_gives_way_to_the_inchi(missing):
    table = f"name,SMILES,InChI,id\ncaffeine,{missing},InChI=1S/C2H6O/c1-2-3/h3H2,{missing}\n".encode()
    (record,) = read_raw(io.BytesIO(table))
    assert (record.kind, record.id, record.name) == ("inchi", "record=1", "caffeine")


def test_numbers_are_no_structures():
    with pytest.raises(FormatError, match="is of no known format"):
        list(read_raw(io.BytesIO(b"61.9792 144847 69\n68.0243 1564399.8 755\n")))


def test_a_column_that_is_not_there_is_an_error():
    table = "id\tsmiles\n" + "".join(f"m{i}\tCCO\n" for i in range(20))
    with pytest.raises(DataError, match="has no column 'no such column'; its columns: id, smiles"):
        list(read_raw(io.BytesIO(table.encode()), smiles_column="no such column"))
