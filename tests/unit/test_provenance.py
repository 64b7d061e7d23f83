"""Hashes and the maker's name."""

import pytest

from specbridge_tools import __version__, provenance
from specbridge_tools.errors import MismatchError
from specbridge_tools.provenance import Part, in_order
from specbridge_tools.shards import Shard

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


def part(number, count=4, **digests):
    return Part(Shard(number, count), 10, {"spectra": "a", **digests})


def test_a_part_says_what_it_is():
    one = part(3, options="f00")
    assert Part.parse(str(one)) == one
    assert str(one) == f"part=3/4 records=10 version={__version__} spectra=a options=f00"
    for text in ("", "score", "part=3/4", "part=5/4 records=1 version=1", "part=1/4 records=x version=1"):
        assert Part.parse(text) is None


def test_parts_stand_in_the_order_of_their_shards():
    assert in_order([(part(i), f"thing {i}", f"{i}.tsv") for i in (3, 1, 4, 2)]) == [f"thing {i}" for i in (1, 2, 3, 4)]
    assert in_order([(None, "b", "b"), (None, "a", "a")]) == ["b", "a"]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([part(1), part(4)], "shards 2-3 of 4 missing; .*--array=2-3"),
        ([part(1, 9), part(2, 9), part(6, 9)], "shards 3-5,7-9 of 9"),
        ([part(1), part(1)], "0.tsv and 1.tsv are both shard 1/4"),
        ([part(1), None], "0.tsv is a part of a run, 1.tsv is not"),
        ([None, part(1)], "1.tsv is a part of a run, 0.tsv is not"),
        ([part(1), part(2, model="b")], "1.tsv was not made with the same model as 0.tsv"),
        ([part(1), part(2, 5)], "not made with the same number of shards"),
        ([part(1), Part(Shard(2, 4), 10, {"spectra": "a"}, version="0")], "not made with the same version"),
    ],
)
def test_what_is_no_whole(parts, message):
    with pytest.raises(MismatchError, match=message):
        in_order([(one, one, f"{i}.tsv") for i, one in enumerate(parts)])
