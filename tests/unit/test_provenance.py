"""Hashes and the maker's name."""

from specbridge_tools import __version__, provenance

# FIPS 180-4 examples
SHA256_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_hashes_agree_with_the_standard(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert provenance.sha256_text("abc") == SHA256_ABC
    assert provenance.sha256_file(path) == SHA256_ABC
    with open(path, "rb") as handle:
        assert provenance._digest(handle) == SHA256_ABC


def test_created_by_names_package_and_version():
    assert f"specbridge_tools {__version__}" == provenance.CREATED_BY
