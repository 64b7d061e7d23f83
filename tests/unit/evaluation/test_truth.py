import io

import pytest

from specbridge_tools.errors import DataError, MismatchError
from specbridge_tools.evaluation.truth import Truth, TruthTable, read_truths
from specbridge_tools.records import Rejection, Tally

CAFFEINE = "Cn1c(=O)c2c(ncn2C)n(C)c1=O"


def mgf(*records):
    """records: dicts of MGF fields."""
    blocks = []
    for fields in records:
        given = {"PEPMASS": "195.0877", "CHARGE": "1+"} | fields
        lines = [f"{key}={value}" for key, value in given.items()]
        blocks.append("\n".join(["BEGIN IONS", *lines, "100.0 1", "END IONS", ""]))
    return io.BytesIO("\n".join(blocks).encode())


def test_truths_carry_what_results_are_split_by():
    tally = Tally()
    table = read_truths(
        mgf(
            {"TITLE": "a", "SMILES": CAFFEINE, "ADDUCT": "[M+H]+"},
            {"TITLE": "b", "INCHIKEY": "RYYVLZVUVIJVGH-UHFFFAOYSA-N", "CHARGE": "1-", "PEPMASS": "193.1"},
        ),
        tally,
    )
    assert table.truths == [
        Truth("a", "RYYVLZVUVIJVGH", 1, "[M+H]+", 195.0877, 1),
        Truth("b", "RYYVLZVUVIJVGH", -1, "", 193.1, 2),
    ]
    assert (tally.n_read, tally.n_rejected) == (2, 0)


def test_records_without_a_structure_are_counted_and_their_queries_left_out():
    tally = Tally()
    table = read_truths(mgf({"TITLE": "a", "SMILES": "CCO"}, {"TITLE": "b"}, {"TITLE": "c", "SMILES": "C(("}), tally)
    assert tally.reasons == {"no structure": 2}
    assert table.find("a").inchikey14 == "LFQSCWFLJHTTHZ"
    assert table.find("b") is None
    assert table.find("c") is None
    with pytest.raises(MismatchError, match="query d of the hits is not in"):
        table.find("d")


def test_a_file_without_any_structure_is_refused():
    with pytest.raises(DataError, match="no spectrum with a structure"):
        read_truths(mgf({"TITLE": "a"}), Tally())


def test_groups_are_one_query_each():
    tally = Tally()
    table = read_truths(
        mgf(
            {"TITLE": "a", "SMILES": "CCO", "FEATURE_ID": "F1"},
            {"TITLE": "b", "SMILES": "OCC", "FEATURE_ID": "F1"},
            {"TITLE": "c", "SMILES": "CCO", "FEATURE_ID": "F2"},
            {"TITLE": "d", "SMILES": "CCO"},
        ),
        tally,
        group_by="FEATURE_ID",
    )
    assert [truth.query_id for truth in table.truths] == ["F1", "F2"]
    assert tally.n_read == 4
    assert tally.reasons == {"no FEATURE_ID": 1}


def test_a_group_of_two_molecules_is_refused():
    records = ({"SMILES": "CCO", "FEATURE_ID": "F"}, {"SMILES": "CCCO", "FEATURE_ID": "F"})
    with pytest.raises(DataError, match=r"record 2: group F holds two molecules, LFQSCWFLJHTTHZ and BDERNNFJNOPAEC"):
        read_truths(mgf(*records), Tally(), group_by="feature_id")


def test_equal_ids_are_told_apart_by_record_even_where_one_cannot_be_used():
    table = TruthTable("truth.mgf")
    table.add(Rejection("no structure", "same", record=1))
    table.add(Truth("same", "AAA", 1, "", 100.0, 2))
    assert table.find("same", 1) is None
    assert table.find("same", 2).inchikey14 == "AAA"
    with pytest.raises(MismatchError):
        table.find("same", 3)
