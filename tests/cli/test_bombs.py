"""Small files that hold, or would become, very much: each ends soon, in little memory, with a word about it."""

import base64
import os
import subprocess
import sys
import zlib

import pytest

pytestmark = pytest.mark.slow

MEMORY = 1 << 30  # bytes
CPU_SECONDS = 60
SECONDS = 280  # of the clock, on a machine that does other work too
# stopped by the system beyond so much data
START = (
    "import resource, sys; resource.setrlimit(resource.RLIMIT_DATA, ({0}, {0})); "
    "resource.setrlimit(resource.RLIMIT_CPU, ({1}, {1})); "
    "from specbridge_tools.cli.{2} import main; main(sys.argv[1:])"
)


def gzip_of(line, size, *, head=b"", tail=b""):
    """Gzip of head, a line again and again up to `size` bytes, and tail."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = line * max(1, (1 << 20) // len(line))
    blocks = [packer.compress(head), *(packer.compress(block) for _ in range(size // len(block)))]
    return b"".join([*blocks, packer.compress(tail), packer.flush()])


def plain(line, size, *, head=b"", tail=b""):
    return head + line * (size // len(line)) + tail


def run(command, *arguments):
    """(status, stdout, stderr) of a command; its time and memory are bounded."""
    module = command.removeprefix("sb-").replace("-", "_")
    process = subprocess.Popen(
        [sys.executable, "-c", START.format(MEMORY, CPU_SECONDS, module), *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        stdout, stderr = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    assert "Traceback" not in stderr
    assert process.returncode >= 0, "within the limits of memory and time"
    return process.returncode, stdout, stderr


NEXT = b"BEGIN IONS\nTITLE=next\nPEPMASS=200\n50 1\nEND IONS\n"
OPEN = b"BEGIN IONS\nTITLE=a\nPEPMASS=100\n"
SPECTRA = {
    "peaks without end": (
        lambda: plain(b"100.5 1\n", 300 << 20, head=OPEN, tail=b"END IONS\n" + NEXT),
        "record too long",
    ),
    "one long line": (lambda: plain(b"x", 200 << 20, head=OPEN + b"COMMENT="), "a line of more than 64 MB"),
    "a field again and again": (
        lambda: plain(b"COMMENT=abc\n", 60 << 20, head=OPEN, tail=b"END IONS\n"),
        "too many fields",
    ),
    "fields": (lambda: b"".join([OPEN, *(b"K%d=1\n" % i for i in range(3_000_000)), b"END IONS\n"]), "too many fields"),
    "comments": (lambda: plain(b"COMMENT: abc\n", 60 << 20, head=b"Name: a\n"), "too many fields"),
    "peaks of MSP": (lambda: plain(b"1 1\n", 60 << 20, head=b"Name: a\nNum Peaks: 2\n"), "too many peaks"),
    "peaks on a line": (lambda: plain(b"1 1 ", 60 << 20, head=b"Name: a\nNum Peaks: 2\n"), "too many peaks"),
    "pairs": (lambda: plain(b"a=1 ", 60 << 20, head=b"Name: a\nComment: "), "too many fields"),
    "empty lines": (lambda: plain(b"\n", 500 << 20, head=NEXT), "n\t1"),
    "gzip of peaks": (lambda: gzip_of(b"100 1\n", 1 << 30, head=OPEN), "more than 200 times its size"),
    "gzip of empty lines": (lambda: gzip_of(b"\n", 1 << 30), "white space"),
    "gzip of empty records": (lambda: gzip_of(b"BEGIN IONS\nEND IONS\n", 80 << 20), "more than 200 times its size"),
    "gzip of members": (lambda: gzip_of(b" ", 0) * 100_000 + gzip_of(b" ", 0, tail=NEXT), "n\t1"),
}


@pytest.mark.parametrize("name", SPECTRA)
def test_spectra(tmp_path, name):
    make, said = SPECTRA[name]
    (tmp_path / "file").write_bytes(make())
    status, stdout, stderr = run("sb-info", tmp_path / "file")
    assert said in stdout + stderr
    assert status in (0, 1)


def mzml(tmp_path, inside, *, length=2):
    path = tmp_path / "file.mzML"
    path.write_bytes(
        b'<?xml version="1.0"?><mzML xmlns="http://psi.hupo.org/ms/mzml"><run><spectrumList>'
        b'<spectrum id="a" defaultArrayLength="%d"><cvParam accession="MS:1000511" value="2"/>' % length
        + inside + b"</spectrum></spectrumList></run></mzML>"
    )  # fmt: skip
    return path


ARRAY = (
    b'<binaryDataArray><cvParam accession="%s"/><cvParam accession="MS:1000523"/><cvParam accession="MS:1000574"/>'
    b"<binary>%s</binary></binaryDataArray>"
)


@pytest.mark.parametrize(("length", "reason"), [(150_000_000, "too many peaks"), (3, "peak count differs")])
def test_arrays_of_mzml(tmp_path, length, reason):
    packer = zlib.compressobj(9)
    packed = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(1200)), packer.flush()])
    text = base64.b64encode(packed)
    arrays = b"".join(ARRAY % (kind, text) for kind in (b"MS:1000514", b"MS:1000515"))
    path = mzml(tmp_path, b"<binaryDataArrayList>" + arrays + b"</binaryDataArrayList>", length=length)
    assert os.path.getsize(path) < 4 << 20
    status, stdout, _ = run("sb-info", path)
    assert (status, f"reasons.{reason}\t1" in stdout) == (0, True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: plain(b"<a/>", 300 << 20),
        lambda: plain(b"<a>", 60 << 20),
        lambda: plain(b" ", 600 << 20, head=b"<userParam name='", tail=b"'/>"),
        lambda: plain(b"AAAA", 600 << 20, head=b"<binary>", tail=b"</binary>"),
        lambda: plain(b" ", 600 << 20, head=b"<!--", tail=b"-->"),
        lambda: plain(b" ", 600 << 20, head=b"<a ", tail=b"/>"),
    ],
    ids=["elements", "nested", "attribute", "text", "comment", "tag"],
)
def test_elements_of_mzml(tmp_path, make):
    status, _, stderr = run("sb-info", mzml(tmp_path, make()))
    assert status == 1
    assert "holds" in stderr or "broken or cut off XML" in stderr
