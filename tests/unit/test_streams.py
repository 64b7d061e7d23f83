"""Inputs from paths, pipes and gzip; outputs that appear whole or not at all."""

import errno
import gzip
import io
import os
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.errors import DataError, TryAgainError, UsageError
from specbridge_tools.streams import (
    check_output,
    display_name,
    open_input,
    output_path,
    output_text,
    seekable_input,
)

TEXT = b"BEGIN IONS\n" * 300_000


def read(source):
    with open_input(source) as stream:
        return stream.read()


@given(st.binary(max_size=200))
def test_gzip_is_seen_by_content(content):
    zipped = gzip.compress(content)
    assert read(io.BytesIO(zipped)) == content
    if content[:2] != b"\x1f\x8b":
        assert read(io.BytesIO(content)) == content


def test_path_is_read_whatever_its_name(tmp_path):
    path = tmp_path / "dataset_1.dat"
    path.write_bytes(gzip.compress(TEXT))
    assert read(path) == TEXT
    assert read(str(path)) == TEXT


def test_two_gzip_members_are_one_text(tmp_path):
    assert read(io.BytesIO(gzip.compress(b"a\n") + gzip.compress(b"b\n"))) == b"a\nb\n"


@pytest.mark.parametrize("zipped", [False, True])
def test_open_file_of_the_caller_stays_open(zipped):
    source = io.BytesIO(gzip.compress(b"x") if zipped else b"x")
    assert read(source) == b"x"
    assert not source.closed


@pytest.mark.parametrize("length", [3, 12, 40, -3])
def test_cut_gzip_is_named(tmp_path, length):
    path = tmp_path / "cut.mgf.gz"
    path.write_bytes(gzip.compress(os.urandom(5000))[:length])
    with pytest.raises(DataError, match=r"cut\.mgf\.gz: broken gzip stream"):
        read(path)


def test_damaged_gzip_is_named(tmp_path):
    damaged = bytearray(gzip.compress(os.urandom(5000)))
    damaged[-6] ^= 255
    with pytest.raises(DataError, match=r"broken gzip stream .*CRC"):
        read(io.BytesIO(bytes(damaged)))


def test_input_that_is_not_there_or_is_a_folder(tmp_path):
    with pytest.raises(DataError, match=r"missing\.mgf: cannot be read \(No such file"):
        read(tmp_path / "missing.mgf")
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory"):
        read(tmp_path)


def test_input_whose_device_fails_may_be_tried_again():
    class Broken(io.RawIOBase):
        name = "disk"

        def readable(self):
            return True

        def readinto(self, buffer):
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(TryAgainError, match="disk: cannot be read"):
        read(Broken())


def test_display_name():
    assert display_name("-") == "<stdin>"
    assert display_name("a/b.mgf") == "a/b.mgf"
    assert display_name(io.BytesIO()) == "<stream>"


def test_named_pipe_becomes_seekable(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"12345",))
    writer.start()
    with seekable_input(pipe) as path:
        assert path != pipe
        assert path.read_bytes() == b"12345"
    writer.join()
    assert not path.exists()


def test_file_is_its_own_seekable_input(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    with seekable_input(path) as same:
        assert same == path
    assert path.exists()


def test_output_appears_at_the_end(tmp_path):
    path = tmp_path / "out"
    with output_path(path) as temporary:
        assert temporary.parent == tmp_path
        temporary.write_bytes(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_output_has_the_mode_of_any_new_file(tmp_path):
    path, other = tmp_path / "out", tmp_path / "other"
    other.touch()
    with output_path(path) as temporary:
        temporary.unlink()
        os.close(os.open(temporary, os.O_CREAT | os.O_WRONLY, 0o600))
    assert path.stat().st_mode == other.stat().st_mode


@pytest.mark.parametrize("before", [None, b"old"])
def test_nothing_changes_after_an_error(tmp_path, before):
    path = tmp_path / "out"
    if before is not None:
        path.write_bytes(before)

    def interrupted():
        with output_text(path, force=True) as stream:
            stream.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [p.read_bytes() for p in tmp_path.iterdir()] == ([] if before is None else [before])


def test_existing_output_is_kept_without_force(tmp_path):
    path = tmp_path / "out"
    path.write_text("old")
    with pytest.raises(UsageError, match="out: exists already; --force replaces it"), output_path(path):
        pass
    with output_text(path, force=True) as stream:
        stream.write("µ\n")
    assert path.read_bytes() == b"\xc2\xb5\n"


def test_output_in_no_folder_or_as_a_folder(tmp_path):
    with pytest.raises(UsageError, match="folder of the output does not exist"):
        check_output(tmp_path / "no" / "out")
    with pytest.raises(UsageError, match="is a folder"):
        check_output(tmp_path, force=True)
    check_output("-")


def test_device_is_written_and_not_replaced():
    with output_path(os.devnull) as temporary:
        temporary.write_bytes(b"x")
    assert not os.path.isfile(os.devnull)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_full_disk_may_be_tried_again():
    with (
        pytest.raises(TryAgainError, match=r"/dev/full: cannot be written .*No space"),
        output_text("/dev/full") as stream,
    ):
        stream.write("x" * 100_000)


def in_python(code, **settings):
    """Run code with `open_input` and the like imported, in a process of its own."""
    start = "from specbridge_tools.streams import *; import sys\n"
    return subprocess.run([sys.executable, "-c", start + code], capture_output=True, timeout=60, **settings)


def test_stdin_and_stdout_as_streams():
    code = """
with open_input("-") as source, output_text("-") as sink:
    for line in source:
        sink.write(line.decode().upper())
"""
    assert in_python(code, input=gzip.compress(b"a\nb\n")).stdout == b"A\nB\n"


def test_stdin_and_stdout_as_files():
    code = """
with seekable_input("-") as source, output_path("-") as sink:
    sink.write_bytes(source.read_bytes()[::-1])
"""
    done = in_python(code, input=TEXT)
    assert done.stdout == TEXT[::-1], done.stderr


def test_the_first_of_two_writers_wins(tmp_path):
    out = tmp_path / "out"

    def write_late():
        with output_path(out) as mine:
            mine.write_text("second")
            out.write_text("first")

    with pytest.raises(UsageError, match="by another process"):
        write_late()
    assert out.read_text() == "first"
    with output_path(out, force=True) as mine:
        mine.write_text("forced")
    assert out.read_text() == "forced"
    assert list(tmp_path.iterdir()) == [out]


def test_a_file_system_without_links(tmp_path, monkeypatch):
    def no_link(source, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    out = tmp_path / "out"
    with output_path(out) as mine:
        mine.write_text("first")
    with pytest.raises(UsageError, match="exists already"), output_path(tmp_path / "other") as mine:
        (tmp_path / "other").write_text("was faster")
    assert (out.read_text(), (tmp_path / "other").read_text()) == ("first", "was faster")
