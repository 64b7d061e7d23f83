import gzip
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.hits.hits import COLUMNS, ranked_columns, reranked_columns
from specbridge_tools.hits.table import FORMATS, HitWriter, QueryRows, parse_hits, read_columns, read_hits
from specbridge_tools.parts.kind import kind_of


def hits_of(*rows):
    return parse_hits(QueryRows(COLUMNS, [tuple(row.get(name, "") for name in COLUMNS) for row in rows]))


def candidate(query_id, rank, score, **more):
    return {
        "query_id": query_id,
        "rank": str(rank),
        "score": repr(score),
        "inchikey14": "ABCDEFGHIJKLMN",
        "n_candidates": "2",
    } | more


def written(groups, output_format):
    stream = io.StringIO()
    writer = HitWriter(stream, output_format=output_format)
    for hits in groups:
        writer.write(hits)
    return stream.getvalue()


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00\r"), max_size=8)


@pytest.mark.parametrize("output_format", FORMATS)
@given(texts=st.lists(st.tuples(TEXT, TEXT, st.floats(-1, 1)), min_size=1, max_size=6))
def test_what_is_written_is_read(output_format, texts):
    groups = [
        hits_of(
            candidate(query_id or "q", 1, score, name=name, record=str(number)), candidate(query_id or "q", 2, -1.0)
        )
        for number, (query_id, name, score) in enumerate(texts, start=1)
    ]
    text = written(groups, output_format)
    assert [hits.rows() for hits in read_hits(io.BytesIO(text.encode()))] == [hits.rows() for hits in groups]


@pytest.mark.parametrize("output_format", FORMATS)
def test_scores_keep_their_last_bit(output_format):
    near = [0.1, np.nextafter(0.1, 1), 0.1]
    text = written([hits_of(*(candidate("q", i, float(s)) for i, s in enumerate(near)))], output_format)
    (hits,) = read_hits(io.BytesIO(text.encode()))
    assert hits.numbers("score").tolist() == near


def test_json_rows_have_numbers_and_nulls():
    text = written([hits_of(candidate("007", 1, 0.5)), hits_of({"query_id": "8", "reason": "no peaks"})], "jsonl")
    first, second = map(json.loads, text.splitlines())
    assert (first["query_id"], first["rank"], first["score"], first["smiles"]) == ("007", 1, 0.5, None)
    assert (second["rank"], second["reason"]) == (None, "no peaks")


def test_a_carriage_return_becomes_a_blank():
    text = written([hits_of(candidate("q", 1, 0.5, name="a\rb"))], "tsv")
    assert next(read_hits(io.BytesIO(text.encode()))).value("name") == "a b"


def test_no_query_leaves_a_header():
    assert written([], "tsv") == "\t".join(COLUMNS) + "\n"
    assert list(read_hits(io.BytesIO(written([], "tsv").encode()))) == []


def test_a_row_with_a_reason_is_no_candidate():
    (hits,) = read_hits(io.BytesIO(written([hits_of({"query_id": "8", "reason": "no peaks"})], "tsv").encode()))
    assert (hits.query_id, hits.reason, len(hits), hits.record) == ("8", "no peaks", 0, 0)
    assert len(hits.numbers("score")) == 0


def test_equal_titles_of_different_records_stay_apart():
    groups = [hits_of(candidate("same", 1, 0.5, record="1")), hits_of(candidate("same", 1, 0.25, record="2"))]
    read = list(read_hits(io.BytesIO(written(groups, "tsv").encode())))
    assert [(hits.record, len(hits)) for hits in read] == [(1, 1), (2, 1)]


def test_other_columns_and_gzip_are_read():
    table = b"inchikey14\tscore\tquery_id\tmine\nA\t1\tq\tx\nB\t0\tq\ty\n"
    (hits,) = read_hits(io.BytesIO(gzip.compress(table)))
    assert hits.column("mine") == ["x", "y"]
    assert len(hits) == 2
    assert hits.value("absent") == ""


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"", FormatError, "no column query_id"),
        (b"a\tb\n1\t2\n", FormatError, "no hits table"),
        (b"query_id\tscore\tinchikey14\nq\t1\n", DataError, "line 2: 2 fields where the header has 3"),
        (b'query_id\tscore\tinchikey14\nq\t1\t"' + b"x" * 200_000, DataError, "line 2: broken row"),
        (b"query_id\tscore\tinchikey14\n\xff\xfe\t1\tA\n", DataError, "line 2: is not UTF-8 text"),
        (b"query_id\tscore\tinchikey14\nq\t1\tA\n\xe4\t1\tA\n", DataError, "line 3: is not UTF-8 text"),
        (b'{"query_id": "\xe4", "score": 1, "inchikey14": "A"}\n', DataError, "line 1: is not UTF-8 text"),
        ("query_id\tscore\tinchikey14\n".encode("utf-16"), DataError, "line 1: is not UTF-8 text"),
        (b'{"query_id": "q"}\n', FormatError, "no column score"),
        (b'{"query_id": "q", "score": 1, "inchikey14": "A"}\n{"x": 1}\n', DataError, "line 2: has other keys"),
        (b'{"query_id": "q", "score": 1, "inchikey14": "A"}\n{"query_id"\n', DataError, "line 2: is not JSON"),
        (b'{"query_id": "q", "score": 1, "inchikey14": "A"}\n[1]\n', DataError, "line 2: is not a JSON object"),
        *(
            (
                f"query_id\t{column}\tscore\tinchikey14\nq\t{text}\t1\tA\n".encode(),
                DataError,
                f"line 2: column {column} of",
            )
            for column in ("rank", "n_candidates", "record")
            for text in ("inf", "-1e999", "1.5", "9" * 20)
        ),
        (
            b"query_id\tscore\tinchikey14\nq\t1e999\tA\n",
            DataError,
            "line 2: column score of query q holds a number without",
        ),
    ],
)
def test_broken_tables_are_named(content, kind, message):
    with pytest.raises(kind, match=message):
        list(read_hits(io.BytesIO(content)))


@pytest.mark.parametrize(
    "text",
    [
        '"query_id"\t"score"\t"inchikey14"\t"reason"\n"NA"\t0.5\t"A"\tNA\n"q"\tNA\t""\t"none, found"\n',
        '"query_id" "score" "inchikey14" "reason"\n"NA" 0.5 "A" NA\n"q" NA "" "none, found"\n',
        'query_id,score,inchikey14,reason\nNA,0.5,A,\nq,,,"none, found"\n',
        'query_id;score;inchikey14;reason\nNA;0.5;A;\nq;;;"none, found"\n',
    ],
)
def test_tables_that_r_or_a_spreadsheet_saved_again(text, tmp_path):
    first, second = read_hits(io.BytesIO(text.encode()))
    assert (first.query_id, first.value("inchikey14"), first.reason, len(first)) == ("NA", "A", "", 1)
    assert (second.query_id, second.reason, len(second)) == ("q", "none, found", 0)
    assert read_columns(io.BytesIO(text.encode())) == (("query_id", "score", "inchikey14", "reason"), "tsv")
    (tmp_path / "x").write_text(text)
    assert kind_of(tmp_path / "x", "x") == "hits (tsv)"


@pytest.mark.parametrize(
    "text",
    [
        # write.table, with tabs and with blanks, and write.csv, of R; index=True of pandas
        '"query_id"\t"score"\t"inchikey14"\t"reason"\n"1"\t"a"\t0.5\t"{}"\tNA\n"2"\t"b"\tNA\tNA\t"none"\n',
        '"query_id" "score" "inchikey14" "reason"\n"1" "a" 0.5 "{}" NA\n"2" "b" NA NA "none"\n',
        '"","query_id","score","inchikey14","reason"\n"1","a",0.5,"{}",NA\n"2","b",NA,NA,"none"\n',
        "\tquery_id\tscore\tinchikey14\treason\n0\ta\t0.5\t{}\t\n1\tb\t\t\tnone\n",
        "query_id\tscore\tinchikey14\treason\n1\ta\t0.5\t{}\t\n2\tb\t\t\tnone\n",
    ],
)
def test_row_names_are_left_out(text, tmp_path):
    text = text.format("RYYVLZVUVIJVGH")
    first, second = read_hits(io.BytesIO(text.encode()))
    assert (first.query_id, first.numbers("score"), first.value("inchikey14")) == ("a", [0.5], "RYYVLZVUVIJVGH")
    assert (second.query_id, second.reason, len(second)) == ("b", "none", 0)
    assert read_columns(io.BytesIO(text.encode())) == (("query_id", "score", "inchikey14", "reason"), "tsv")
    (tmp_path / "x").write_text(text)
    assert kind_of(tmp_path / "x", "x") == "hits (tsv)"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a\t0.5\tRYYVLZVUVIJVGH\t\n", "4 fields where the header has 3"),  # a tab too many
        ("1\ta\t0.5\tRYYVLZVUVIJVGH\na\t0.5\tRYYVLZVUVIJVGH\n", "line 3: 3 fields where the header has 4"),
        ("a\t0.5\tRYYVLZVUVIJVGH\n1\ta\t0.5\tRYYVLZVUVIJVGH\n", "line 3: 4 fields where the header has 3"),
    ],
)
def test_a_field_too_many_is_no_row_name(row, message):
    with pytest.raises(DataError, match=message):
        list(read_hits(io.BytesIO(f"query_id\tscore\tinchikey14\n{row}".encode())))


def test_a_score_that_is_no_number_is_named():
    with pytest.raises(DataError, match="line 2: column score of query q7"):
        list(read_hits(io.BytesIO(b"query_id\tscore\tinchikey14\nq7\thigh\tA\n")))


def test_numbers_are_numbers():
    (hits,) = read_hits(io.BytesIO(written([hits_of(candidate("q", 1, 0.5, exact_mass="180.06339"))], "tsv").encode()))
    (row,) = hits
    assert (row["rank"], row["score"], row["exact_mass"], row["n_candidates"]) == (1, 0.5, 180.06339, 2)
    assert (row["probability"], row["record"], row["smiles"]) == (None, 0, "")
    assert (hits.record, hits.n_candidates, hits.printed(0)["exact_mass"]) == (0, 2, "180.063390")
    frame = hits.to_pandas()
    assert list(frame.columns) == list(COLUMNS)
    assert frame["score"].dtype == float


def test_candidates_are_taken_in_any_order():
    hits = hits_of(candidate("q", 1, 0.5, name="a"), candidate("q", 2, 0.25, name="b"))
    assert hits.take([1, 0]).column("name") == ["b", "a"]
    assert hits.take(slice(0, 1)).column("score") == ["0.5"]
    none = hits.without_candidates("too few")
    assert (len(none), none.reason, none.rows()[0][0]) == (0, "too few", "q")


def test_the_score_of_re_ranking_has_nine_digits():
    columns = ("query_id", "score", "cosine", "inchikey14")
    hits = parse_hits(QueryRows(columns, [("q", "-100.0", "0.25", "KEY")]))
    assert hits.is_reranked
    assert hits.rows() == [("q", "-100", "0.25", "KEY")]


def test_what_a_ranking_added_is_no_column_of_a_table_that_is_reranked_again():
    compared = reranked_columns(COLUMNS, with_reference=True)
    ranked = ranked_columns(compared)
    assert ranked[ranked.index("probability") + 1] == "probability_if_listed"
    assert ranked_columns(ranked) == ranked
    assert reranked_columns(ranked, with_reference=True) == compared
    assert reranked_columns(ranked) == reranked_columns(COLUMNS)
    # a table of a model that states no probabilities
    bare = tuple(name for name in compared if name != "probability")
    assert ranked_columns(bare) == bare
