import pytest

from specbridge_tools.errors import DataError, FormatError, MismatchError, UsageError
from specbridge_tools.hits.table import read_hits
from specbridge_tools.parts.kind import kind_of
from specbridge_tools.parts.merge import merge_parts
from specbridge_tools.parts.outputs import part_outputs
from specbridge_tools.parts.records import open_records
from specbridge_tools.parts.split import split_into_ranges
from specbridge_tools.records import Tally

HEADER = "query_id\trank\tscore\tinchikey14\tname\trecord\n"


def merge(sources, destination, **settings):
    tally = Tally()
    kind = merge_parts([str(source) for source in sources], str(destination), tally, **settings)
    return kind, tally


@pytest.fixture
def hits_files(tmp_path):
    texts = (
        "a\t1\t0.5\tAAA\tone\t1\na\t2\t0.25\tBBB\t\t1\nsame\t1\t0.5\tCCC\t\t2\n",
        "",
        'same\t1\t0.125\tDDD\t"tab\there"\t1\n\t1\t0.5\tEEE\t\t3\n',
    )
    paths = [tmp_path / f"h{i}.tsv" for i in range(3)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(HEADER + text)
    return paths


def test_hits_keep_their_rows_and_number_their_records_on(hits_files, tmp_path):
    kind, tally = merge(hits_files, tmp_path / "all.tsv")
    assert kind == "hits (tsv)"
    assert (tally.noun, tally.n_read, tally.n_written) == ("queries", 4, 4)
    assert (tmp_path / "all.tsv").read_text() == (
        HEADER + "a\t1\t0.5\tAAA\tone\t1\na\t2\t0.25\tBBB\t\t1\nsame\t1\t0.5\tCCC\t\t2\n"
        'same\t1\t0.125\tDDD\t"tab\there"\t3\n\t1\t0.5\tEEE\t\t5\n'
    )
    assert [hits.query_id for hits in read_hits(tmp_path / "all.tsv")] == ["a", "same", "same", ""]


def test_only_empty_tables_of_hits_give_a_header(hits_files, tmp_path):
    merge([hits_files[1]], tmp_path / "all.tsv")
    assert (tmp_path / "all.tsv").read_text() == HEADER


def test_hits_of_other_columns_are_refused(hits_files, tmp_path):
    (tmp_path / "other.tsv").write_text("query_id\tscore\tinchikey14\n")
    with pytest.raises(MismatchError, match=r"other\.tsv has other columns than .*h0\.tsv"):
        merge([hits_files[0], tmp_path / "other.tsv"], tmp_path / "all.tsv")
    assert not (tmp_path / "all.tsv").exists()


@pytest.mark.parametrize("number", [0, 1])
def test_hits_that_are_no_utf8_are_named_with_their_row(hits_files, tmp_path, number):
    hits_files[number].write_bytes(HEADER.encode() + b"a\t1\t0.5\tAAA\tone\t1\nb\t1\t0.5\tAAA\t\xe4thanol\t2\n")
    with pytest.raises(DataError, match=rf"h{number}\.tsv: line 3: is not UTF-8 text; save it as UTF-8"):
        merge(hits_files, tmp_path / "all.tsv")
    hits_files[number].write_bytes(HEADER.replace("name", "n\xe4me").encode("latin-1"))
    with pytest.raises(DataError, match=rf"h{number}\.tsv: line 1: is not UTF-8 text"):
        merge(hits_files, tmp_path / "all.tsv")
    assert not (tmp_path / "all.tsv").exists()


def test_hits_as_json_lines(tmp_path):
    for i in (1, 2):
        row = f'{{"query_id": "q{i}", "score": 0.5, "inchikey14": "AAA", "name": null, "record": 1}}\n'
        (tmp_path / f"h{i}").write_text(row)
    kind, _ = merge([tmp_path / "h1", tmp_path / "h2"], tmp_path / "all")
    assert kind == "hits (jsonl)"
    assert (tmp_path / "all").read_text().splitlines() == [
        '{"query_id": "q1", "score": 0.5, "inchikey14": "AAA", "name": null, "record": 1}',
        '{"query_id": "q2", "score": 0.5, "inchikey14": "AAA", "name": null, "record": 2}',
    ]


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity", '"high"', "[1]"])
@pytest.mark.parametrize("column", ["score", "rank", "prior:patents:1"])
def test_json_lines_with_what_is_no_number_are_named(tmp_path, column, number):
    row = {"query_id": '"q"', "score": "0.5", "inchikey14": '"AAA"', "rank": "1", "prior:patents:1": "12"}
    lines = [
        "{" + ", ".join(f'"{name}": {value}' for name, value in one.items()) + "}"
        for one in (row, {**row, column: number})
    ]
    (tmp_path / "h").write_text(lines[0] + "\n" + lines[1].replace('"q"', '"r"') + "\n")
    with pytest.raises(DataError, match=rf"h: line 2: column {column}: .* is no number"):
        merge([tmp_path / "h"], tmp_path / "all")
    assert not (tmp_path / "all").exists()


@pytest.mark.parametrize("name", ["spectra.mgf", "molecules.tsv", "m.csv", "m.smi"])
def test_parts_of_a_split_merge_to_the_whole(spectra_file, table_file, tmp_path, name):
    (tmp_path / "m.csv").write_text('smiles,note\nCCO,"two\nlines"\nCCC,\n')
    (tmp_path / "m.smi").write_text("CCO ethanol\nc1ccccc1 benzene\n")
    with open_records(tmp_path / name) as records, part_outputs(f"{tmp_path}/p/", records.suffix) as outputs:
        parts = split_into_ranges(records, outputs, Tally(), n_parts=2)
    merge([part.path for part in parts], tmp_path / "whole")
    if name == "spectra.mgf":
        merge([tmp_path / name], tmp_path / "expected")
    else:
        (tmp_path / "expected").write_bytes((tmp_path / name).read_bytes())
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "expected").read_bytes()


def test_last_records_without_their_end(tmp_path):
    from rdkit import Chem

    block = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
    (tmp_path / "a.sdf").write_text(block)
    (tmp_path / "a.smi").write_text("CCO")
    merge([tmp_path / "a.sdf"] * 2, tmp_path / "b.sdf")
    assert (tmp_path / "b.sdf").read_text() == (block + "$$$$\n") * 2
    merge([tmp_path / "a.smi"] * 2, tmp_path / "b.smi")
    assert (tmp_path / "b.smi").read_text() == "CCO\nCCO\n"


def test_tables_of_other_columns_are_refused(table_file, tmp_path):
    (tmp_path / "other.tsv").write_text("smiles\tid\nCCO\t1\n")
    with pytest.raises(MismatchError, match=r"other\.tsv has another header than .*molecules\.tsv"):
        merge([table_file, tmp_path / "other.tsv"], tmp_path / "all")


def test_spectra_of_several_formats_become_one_mgf(spectra_file, tmp_path):
    (tmp_path / "s.msp").write_text("NAME: x\nPRECURSORMZ: 100.5\nNum Peaks: 1\n50 1\n\nNAME: y\nNum Peaks: 1\n50 1\n")
    kind, tally = merge([spectra_file, tmp_path / "s.msp"], tmp_path / "all.mgf")
    assert kind == "spectra"
    assert (tally.n_read, tally.n_rejected, tally.n_written) == (24, 1, 23)
    assert (tmp_path / "all.mgf").read_text().count("BEGIN IONS") == 23


def test_files_of_two_kinds_are_refused(spectra_file, table_file, tmp_path):
    with pytest.raises(MismatchError, match=r"spectra\.mgf holds spectra, .*molecules\.tsv holds molecules \(tsv\)"):
        merge([spectra_file, table_file], tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_stdin_once(tmp_path):
    with pytest.raises(UsageError, match="only one part can be stdin"):
        merge(["-", "-"], tmp_path / "all")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"root:x:0:0\n", "is of no known kind; it begins with 'root:x:0:0'"),
        (b"\x89HDF\r\n\x1a\n cut", "is a truncated or damaged HDF5 file"),
        (b"PK\x03\x04", "is of no known kind"),
    ],
)
def test_unknown_files_are_named(tmp_path, content, message):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(FormatError, match=message):
        kind_of(tmp_path / "x", "x")


def test_hdf5_of_other_programs_is_named(tmp_path):
    import h5py

    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a"] = 1
    with pytest.raises(FormatError, match="HDF5 file of another program"):
        kind_of(tmp_path / "x.h5", "x")
    with h5py.File(tmp_path / "x.h5", "a") as file:
        file.attrs["format"] = "specbridge-index"
    assert kind_of(tmp_path / "x.h5", "x") == "index"


def test_a_hits_table_is_one_by_its_columns_in_any_order(tmp_path):
    (tmp_path / "x").write_text("inchikey14\tsmiles\tscore\tquery_id\n")
    assert kind_of(tmp_path / "x", "x") == "hits (tsv)"
    (tmp_path / "x").write_text("inchikey14\tsmiles\n")
    assert kind_of(tmp_path / "x", "x") == "molecules (tsv)"
