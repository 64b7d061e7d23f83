"""Naming files that are none of ours."""

import bz2
import gzip
import lzma

import pytest

from specbridge_tools.content import beginning, binary_format, foreign, text_format


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (bz2.compress(b"x"), "a bzip2 file"),
        (lzma.compress(b"x"), "an xz file"),
        (gzip.compress(b"x", mtime=0), "gzip within gzip"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x89PNG", "a picture"),
        (b"ab\x00c", "binary data"),
        (b"", None),
        (b"id\tsmiles\n", None),
        ("\ufeffid\tsmiles\n".encode("utf-16-le"), None),
        ("\ufeffid\tsmiles\n".encode("utf-16-be"), None),
    ],
)
def test_foreign(head, what):
    assert foreign(head) == what


def test_bytes_that_some_texts_hold_are_no_binary_format():
    assert binary_format(b"ab\x00c") is None
    assert binary_format(b"PK\x03\x04") == "a zip archive"


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b'{"a": 1}', "JSON"),
        (b"[1]", "JSON"),
        ("BEGIN IONS".encode("utf-16"), "text in UTF-16"),
        (b"\xfe\xff\x00B", "text in UTF-16"),
        (b"BEGIN IONS", None),
    ],
)
def test_text_format(head, what):
    assert text_format(head) == what


@pytest.mark.parametrize(
    ("head", "shown"),
    [
        (b"", "''"),
        (b"\n\n hello world\nmore", "'hello world'"),
        (b"a\x1b[31mb\xff", "'a?[31mb?'"),
        (b"x" * 99, f"'{'x' * 40}'"),
    ],
)
def test_beginning(head, shown):
    assert beginning(head) == shown
