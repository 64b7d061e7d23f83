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


@settings(max_examples=40, deadline=None)
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
