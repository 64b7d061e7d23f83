"""Members of an archive are no larger than it says, and than it can hold."""

import zipfile

import pytest

from specbridge_tools.errors import FormatError
from specbridge_tools.weights.archive import open_archive


def test_a_member_that_claims_to_be_larger_than_the_file(tmp_path):
    path = tmp_path / "x.ckpt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", b"0123456789")
    content = bytearray(path.read_bytes())
    packed = content.index(b"PK\x01\x02") + 20
    content[packed : packed + 4] = (1 << 30).to_bytes(4, "little")
    path.write_bytes(content)
    with open_archive(path) as archive, pytest.raises(FormatError, match="x in it is larger than the file"):
        archive.read("x")


def test_a_member_that_is_packed_too_closely(tmp_path):
    path = tmp_path / "x.ckpt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", bytes(5_000_000))
    with open_archive(path) as archive, pytest.raises(FormatError, match="x in it is too large for a checkpoint"):
        archive.read("x", most=1 << 30)
