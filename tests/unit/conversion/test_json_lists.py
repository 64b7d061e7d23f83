"""The candidate lists of benchmarks, streamed."""

import gzip
import io
import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specbridge_tools.conversion import json_lists
from specbridge_tools.conversion.json_lists import read_json_lists
from specbridge_tools.errors import DataError, FormatError


@pytest.mark.slow
@settings(max_examples=40)
@given(
    lists=st.dictionaries(st.text(max_size=8), st.lists(st.text(max_size=12), max_size=5), max_size=6),
    chunk=st.integers(1, 20),
    indent=st.sampled_from([None, 0, 2]),
    ascii_only=st.booleans(),
)
def test_what_json_holds_comes_out_whatever_the_chunks(lists, chunk, indent, ascii_only):
    text = json.dumps(lists, indent=indent, ensure_ascii=ascii_only).encode("utf-8", errors="replace")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_lists, "_CHUNK", chunk)
        assert dict(read_json_lists(io.BytesIO(text))) == json.loads(text)


def test_entries_come_before_the_end_is_read():
    text = b'{"CCO": ["CCO", "COC"], "C": ["broken'
    entries = read_json_lists(io.BytesIO(text))
    assert next(entries) == ("CCO", ["CCO", "COC"])
    with pytest.raises(FormatError, match="is not JSON"):
        next(entries)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"null", b"{", b"{}x", b'{"a": []', b'{"a" []}', b'{"a": [] "b": []}', b"\xff\xfe"]
)
def test_what_is_no_object_is_refused(text, tmp_path):
    path = tmp_path / "lists.json"
    path.write_bytes(text)
    with pytest.raises(FormatError, match=r"lists\.json: is not (a )?JSON.*expected a JSON object of lists"):
        list(read_json_lists(path))


def test_a_byte_order_mark_and_gzip():
    text = b"\xef\xbb\xbf \n" + json.dumps({"C": ["CC", "\u00e9"], "": []}).encode()
    for content in (text, gzip.compress(text)):
        assert dict(read_json_lists(io.BytesIO(content))) == {"C": ["CC", "\u00e9"], "": []}


@pytest.mark.slow
def test_memory_stays_small():
    text = json.dumps({f"C{i}": [f"C{i}O{j}" for j in range(100)] for i in range(5000)}).encode()
    tracemalloc.start()
    n_entries = sum(1 for _ in read_json_lists(io.BytesIO(text)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_entries == 5000
    assert peak < 4 << 20


@pytest.mark.parametrize("value", ["1", '"CCO"', "[1]", "null", '{"a": []}'])
def test_what_is_no_list_of_strings_is_named(value):
    with pytest.raises(DataError, match=r"value of 'CCO' is not a list of strings"):
        list(read_json_lists(io.BytesIO(b'{"CCO": ' + value.encode() + b"}")))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"[" + b'"%s",' % (b"C" * 9000) * 1000 + b'"C"]', "holds a JSON value of more than 8,388,608 bytes"),
        (b'["' + b"C" * 9_000_000 + b'"]', "holds a JSON value of more than 8,388,608 bytes"),
        (b"[" + b'"C",' * 1_000_001 + b'"C"]', "value of 'CCO' is too large: more than 1,000,000 values"),
        (b"[" * 40 + b"]" * 40, "value of 'CCO' is too large: nested more than 32 deep"),
        (b"[" * 5_000_000, "is not JSON .nested more than 1000 deep"),
        (b"[1" + b"0" * 5000 + b"]", "number too large|is not a list of strings"),
        (b"[1e" + b"9" * 30 + b"]", "is not JSON|is not a list of strings"),
    ],
    ids=["text", "name", "values", "depth", "great depth", "number", "exponent"],
)
def test_an_entry_has_limits(value, message):
    with pytest.raises(DataError, match=message):
        list(read_json_lists(io.BytesIO(b'{"C": ["C"], "CCO": ' + value + b"}")))


def test_entries_together_may_be_larger_than_one():
    text = json.dumps({f"C{i}": ["C" * 1000] * 1000 for i in range(20)}).encode()
    assert sum(len(values) for _, values in read_json_lists(io.BytesIO(text))) == 20_000
