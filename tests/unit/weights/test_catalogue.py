import hashlib
import json

import pytest

from specbridge_tools.errors import DataError
from specbridge_tools.weights import catalogue as weights
from specbridge_tools.weights.store import add_weights


def by_name(found):
    return {local.weights.name: local for local in found}


@pytest.fixture
def empty(tmp_path):
    folder = tmp_path / "shipped"
    folder.mkdir()
    return folder


def test_names_are_unique_and_sources_public():
    assert len({entry.name for entry in weights.KNOWN}) == len(weights.KNOWN)
    assert all(entry.source.startswith(("https://doi.org/", "https://huggingface.co/")) for entry in weights.KNOWN)
    assert all(len(entry.sha256) in (0, 64) for entry in weights.KNOWN)


def test_what_is_not_here_is_absent(tmp_path, empty):
    found = weights.list_weights(store=tmp_path, shipped=empty)
    assert {local.status for local in found} == {"absent"}
    assert by_name(found)["dreams-ssl"].path == f"{tmp_path}/weights/dreams-ssl/ssl_model.ckpt"
    assert by_name(found)["default"].path == f"{empty}/model.safetensors"


def test_what_is_here_is_hashed(tmp_path, empty):
    path = tmp_path / "weights/dreams-ssl/ssl_model.ckpt"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    local = by_name(weights.list_weights(store=tmp_path, shipped=empty))["dreams-ssl"]
    assert (local.status, local.sha256) == ("present", hashlib.sha256(b"weights").hexdigest())


def test_other_bytes_than_published_are_damaged(tmp_path, empty, monkeypatch):
    known = weights.KnownWeights("x", "model", "", 3, "", "https://doi.org/x", "x.bin", "0" * 64)
    monkeypatch.setattr(weights, "KNOWN", (known,))
    path = tmp_path / "weights/x/x.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"cut")
    assert by_name(weights.list_weights(store=tmp_path, shipped=empty))["x"].status == "damaged"


def test_a_file_that_is_not_the_published_one_is_not_added(tmp_path, monkeypatch):
    content = b"the published bytes"
    digest = hashlib.sha256(content).hexdigest()
    known = weights.KnownWeights("x", "model", "", 3, "", "https://doi.org/x", "x.bin", digest)
    monkeypatch.setattr(weights, "KNOWN", (known,))
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "home"))
    (tmp_path / "mine").write_bytes(content[:-1])
    with pytest.raises(DataError, match=f"published is {digest}; download it from https://doi.org/x"):
        add_weights("x", tmp_path / "mine")
    assert not (tmp_path / "home").exists()
    (tmp_path / "mine").write_bytes(content)
    assert add_weights("x", tmp_path / "mine").sha256 == digest


def test_shared_stores_are_read_and_never_written(tmp_path, monkeypatch):
    shared = tmp_path / "cluster"
    (shared / "weights/dreams-ssl").mkdir(parents=True)
    (shared / "weights/dreams-ssl/ssl_model.ckpt").write_bytes(b"theirs")
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SPECBRIDGE_SHARED", f"{tmp_path}/none:{shared}")
    (tmp_path / "mine").write_bytes(b"mine")
    assert by_name(weights.list_weights())["dreams-ssl"].path == f"{shared}/weights/dreams-ssl/ssl_model.ckpt"
    add_weights("dreams-ssl", tmp_path / "mine")
    assert by_name(weights.list_weights())["dreams-ssl"].path == f"{tmp_path}/home/weights/dreams-ssl/ssl_model.ckpt"
    assert (shared / "weights/dreams-ssl/ssl_model.ckpt").read_bytes() == b"theirs"


def write_safetensors(path, metadata):
    header = json.dumps({"__metadata__": metadata}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def test_shipped_files_tell_their_dimension(tmp_path, empty):
    write_safetensors(empty / "model.safetensors", {"specbridge": json.dumps({"config": {"dimension": 512}})})
    write_safetensors(empty / "other_space.safetensors", {"specbridge": json.dumps({"dimension": 64})})
    found = weights.list_weights(store=tmp_path, shipped=empty)
    assert [local.weights.name for local in found[:2]] == ["default", "other-space"]
    assert [local.weights.dimension for local in found[:2]] == [512, 64]
    assert found[0].status == "present"
    assert found[0].sha256 == hashlib.sha256((empty / "model.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        b"\x02\0\0\0\0\0\0\0{}",
        b"\x05\0\0\0\0\0\0\0hello",
        b"\x02\0\0\0\0\0\0\0[]",
        b'\x12\0\0\0\0\0\0\0{"__metadata__": 3}',
    ],
)
def test_a_broken_shipped_file_has_no_dimension(tmp_path, empty, content):
    (empty / "model.safetensors").write_bytes(content)
    assert by_name(weights.list_weights(store=tmp_path, shipped=empty))["default"].weights.dimension is None


def test_the_store_is_the_variable_or_else_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "mine"))
    assert weights.store_folder() == tmp_path / "mine"
    monkeypatch.delenv("SPECBRIDGE_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert weights.store_folder() == tmp_path / "cache/specbridge_tools"
