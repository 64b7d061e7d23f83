"""Gzip: many members, broken streams, and what grows out of all proportion."""

import gzip
import io
import os
import random
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools import gzip_file
from specbridge_tools.errors import DataError
from specbridge_tools.streams import open_input, rewindable

RECORD = b"BEGIN IONS\nPEPMASS=100\n50 1\nEND IONS\n"


def bomb(size):
    """Gzip of so many line feeds."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    blocks = [packer.compress(b"\n" * (1 << 20)) for _ in range(size >> 20)]
    return b"".join([*blocks, packer.flush()])


def read(zipped):
    with open_input(io.BytesIO(zipped)) as stream:
        return stream.read()


def test_a_hundred_thousand_empty_members_take_a_moment():
    started = time.process_time()
    assert read(gzip.compress(b"") * 100_000 + gzip.compress(RECORD)) == RECORD
    assert time.process_time() - started < 1


@given(st.lists(st.binary(max_size=300), min_size=1), st.integers(0, 40))
def test_members_of_any_content_and_zeros_behind_them(contents, n_zeros):
    assert read(b"".join(map(gzip.compress, contents)) + bytes(n_zeros)) == b"".join(contents)


@pytest.mark.parametrize("damage", range(60))
def test_damage_is_a_data_error_or_leaves_the_content(damage):
    zipped = bytearray(gzip.compress(RECORD * 50))
    place = random.Random(damage).randrange(2, len(zipped))
    zipped[place] ^= 1 << damage % 8
    try:
        content = read(bytes(zipped))
    except DataError as error:
        content, message = b"", str(error)
    assert content == RECORD * 50 or "broken gzip stream" in message


def test_what_grows_out_of_proportion_is_refused(monkeypatch):
    monkeypatch.setattr(gzip_file, "FREE_SIZE", 1 << 24)
    assert read(bomb(1 << 24)) == b"\n" * (1 << 24)
    with pytest.raises(DataError, match="grows to more than 200 times its size; if that is right, unzip it before"):
        read(bomb(1 << 25))


def test_what_grows_in_proportion_is_read(monkeypatch):
    monkeypatch.setattr(gzip_file, "FREE_SIZE", 1 << 20)
    content = os.urandom(1 << 16).hex().encode() * 40
    assert read(gzip.compress(content)) == content


@pytest.mark.slow
def test_a_gigabyte_of_line_feeds_is_refused():
    with pytest.raises(DataError, match="more than 200 times"):
        read(bomb(1 << 30))


def test_gzip_can_be_read_again(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(RECORD) + gzip.compress(b"more"))
    with rewindable(path) as stream:
        assert stream.read() == RECORD + b"more"
        stream.seek(0)
        assert stream.read() == RECORD + b"more"
