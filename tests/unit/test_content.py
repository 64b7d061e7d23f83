"""Naming files that are none of ours."""

import bz2
import gzip
import lzma

import pytest

from specbridge_tools.content import beginning, foreign


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
