import gzip
import io

import pytest

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.search.candidates.list_file import is_candidate_table, read_candidate_table

TABLE = "list_id\tsmiles\nb\tCCO\na\tOCC\nb\tCCN\n\nb\tCCO\na\tCCO\n"


def read(text, **settings):
    return read_candidate_table(io.BytesIO(text.encode() if isinstance(text, str) else text), **settings)


def test_rows_of_a_list_may_stand_anywhere_and_repeat():
    table = read(TABLE)
    assert table.key == "list_id"
    assert table.spelled == ["CCO", "OCC", "CCN"]
    assert table.lines == [2, 3, 4]
    assert {name: numbers.tolist() for name, numbers in table.lists.items()} == {"b": [0, 2], "a": [0, 1]}


def test_only_wanted_lists_are_kept():
    asked = []
    table = read(TABLE, wanted=lambda key: asked.append(key) or {"b", "c"})
    assert asked == ["list_id"]
    assert table.spelled == ["CCO", "CCN"]
    assert list(table.lists) == ["b"]


@pytest.mark.parametrize(
    "text",
    [
        TABLE.replace("\n", "\r\n"),
        "\ufeff" + TABLE,
        gzip.compress(TABLE.encode()),
        TABLE.replace("list_id\tsmiles", "List ID\tSMILES"),
        TABLE.replace("list_id\tsmiles", "ListID\tSMILES"),
        TABLE.replace("\t", ","),
        TABLE.replace("\t", ";"),
        TABLE.replace("\t", "|"),
        "".join('"' + line.replace("\t", '"\t"') + '"\n' for line in TABLE.split("\n") if line),
        "".join('"' + line.replace("\t", '","') + '"\n' for line in TABLE.split("\n") if line),
        "".join('"' + line.replace("\t", '" "') + '"\n' for line in TABLE.split("\n") if line),
    ],
)
def test_dialects(text):
    assert read(text).spelled == read(TABLE).spelled


def test_columns_are_found_by_name():
    table = read("name\tinchi\tquery_id\nx\tInChI=1S/CH4/h1H4\tq1\n")
    assert (table.key, table.spelled, list(table.lists)) == ("query_id", ["InChI=1S/CH4/h1H4"], ["q1"])


def test_row_names_whose_column_r_does_not_name():
    table = read('"list_id"\t"smiles"\n"1"\t"first"\t"CCO"\n"2"\t"second"\tNA\n')
    assert table.spelled == ["CCO", ""]
    assert list(table.lists) == ["first", "second"]


def test_ids_and_names_are_kept():
    table = read('query_id,Identifier,CompoundName,SMILES\nq,2519,"Caffeine, pure",CCN\nq,NA,,CCO\nr,1,x,CCN\n')
    assert table.spelled == ["CCN", "CCO"]
    assert table.ids == ["2519", ""]
    assert table.names == ["Caffeine, pure", ""]


def test_a_missing_value_leaves_its_place_to_the_next_column():
    table = read(
        "list_id\tsmiles\tms_ready_smiles\tinchi\na\tNA\t\tInChI=1S/CH4/h1H4\na\tsee note\tCCO\t-\na\tN/A\t\tnan\n"
    )
    assert table.spelled == ["InChI=1S/CH4/h1H4", "CCO", ""]


@pytest.mark.parametrize("text", ["", "smiles\nCCO\n", "query,smiles\n1,CCO\n", b"\x89HDF\r\n\x1a\n", b"PK\x03\x04zip"])
def test_other_files_are_refused(text):
    with pytest.raises(FormatError, match="list_id or query_id, and smiles"):
        read(text)


def test_broken_tables_name_the_place():
    with pytest.raises(DataError, match="line 3: 1 fields where the header has 2"):
        read("list_id\tsmiles\na\tCCO\nb\n")
    with pytest.raises(DataError, match="line 3: unbalanced quote"):
        read('list_id,smiles\na,CCO\n"b,CCC\n')
    with pytest.raises(DataError, match="has no column of SMILES or InChI"):
        read("list_id\tstructure name\na\tethanol\n")


def test_a_table_is_told_by_its_header(tmp_path):
    for name, text, expected in (
        ("a.tsv", TABLE, True),
        ("a.csv", TABLE.replace("\t", ","), True),
        ("q.tsv", '"query_id"\t"smiles"\n', True),
        ("b.tsv", "id\tsmiles\nx\tCCO\n", False),
        ("c.smi", "CCO x\n", False),
        ("d.h5", "\x89HDF", False),
        ("e.tsv", "", False),
    ):
        (tmp_path / name).write_text(text)
        assert is_candidate_table(tmp_path / name) is expected


@pytest.mark.parametrize(
    "text",
    ['"query_id"\t"smiles"\n"q1"\t"CCO"\n', "query_id,Identifier,SMILES\nq1,2519,CCO\n", "query_id;smiles\nq1;CCO\n"],
)
def test_quoted_tables_and_csv_are_read(text):
    table = read_candidate_table(io.BytesIO(text.encode()))
    assert (list(table.lists), table.spelled) == (["q1"], ["CCO"])
    assert is_candidate_table(io.BytesIO(text.encode()))


def test_what_stands_beside_a_structure_is_kept_for_the_case_that_it_cannot_be_read():
    table = read("list_id\tsmiles\tms_ready_smiles\tinchi\na\tC1CC\tCCO\tnote\na\tCCN\tCCN\t\n")
    assert table.spelled == ["C1CC", "CCN"]
    assert table.others == {0: ("CCO", "note")}


def test_equal_spellings_are_one_structure_unless_they_cannot_be_read():
    # the second column holds stereo of the same molecule in list a, other molecules in list b
    rows = ("a\tCC(N)O\tC[C@H](N)O", "a\tCC(N)O\tC[C@@H](N)O", "a\tCC(N)O\t", "b\tC1CC\tCCO", "b\tC1CC\tCCN")
    rows += ("b\tC1CC\tCCO", "c\tC1CC\t", "c\tC1CC\t")
    table = read("list_id\tsmiles\tisomeric_smiles\n" + "\n".join(rows) + "\n")
    assert table.spelled == ["CC(N)O", "C1CC", "C1CC", "C1CC"]
    assert {name: numbers.tolist() for name, numbers in table.lists.items()} == {"a": [0], "b": [1, 2], "c": [3]}
    assert table.others == {0: ("C[C@H](N)O",), 1: ("CCO",), 2: ("CCN",)}
