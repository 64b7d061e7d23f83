"""What comes out of a checkpoint, and what of a pickle does not run."""

import argparse
import builtins
import collections
import datetime
import functools
import io
import os
import pathlib
import pickle
import subprocess
import sys
import types
import zipfile

import numpy as np
import pytest
import torch

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.weights.torch_checkpoint import Stub, is_checkpoint, open_checkpoint, state_dict


def read(path):
    """{name: tensor} and the content of a checkpoint."""
    with open_checkpoint(path) as checkpoint:
        stored = state_dict(checkpoint.content) or {}
        return {name: checkpoint.tensor(tensor) for name, tensor in stored.items()}, checkpoint.content


class Calls:
    """Pickles as a call."""

    def __init__(self, function, *values, state=None):
        self.function, self.values, self.state = function, values, state

    def __reduce__(self):
        return (self.function, self.values, *([self.state] if self.state is not None else []))


def write_raw(path, data):
    """A checkpoint archive around the bytes of a pickle."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", data)
        archive.writestr("x/version", "3\n")


DTYPES = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
)


def test_tensors_are_as_saved(tmp_path):
    numbers = torch.arange(12).reshape(3, 4) % 5
    tensors = {str(dtype): numbers.to(dtype) for dtype in DTYPES}
    base = torch.randn(6, 5)
    tensors |= {"view": base[1:4, 2], "transposed": base.T, "none": torch.empty(0, 3), "scalar": torch.tensor(2.5)}
    tensors["parameter"] = torch.nn.Parameter(torch.randn(3))
    torch.save(tensors, tmp_path / "x.pt")
    found, _ = read(tmp_path / "x.pt")
    assert list(found) == list(tensors)
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name
        assert found[name].is_contiguous()


def test_a_lightning_checkpoint_gives_its_state_dict_and_stubs(tmp_path, monkeypatch):
    module = types.ModuleType("msml.utils.spectra")

    class Preprocessor:
        def __init__(self):
            self.n = 3

    Preprocessor.__module__, Preprocessor.__qualname__ = module.__name__, "Preprocessor"
    module.Preprocessor = Preprocessor
    for name in ("msml", "msml.utils", "msml.utils.spectra"):
        monkeypatch.setitem(sys.modules, name, module)
    weights = collections.OrderedDict(a=torch.ones(2), b=torch.zeros(2, 2))
    weights._metadata = collections.OrderedDict({"": {"version": 1}})
    args = argparse.Namespace(lr=1e-4, path=pathlib.PosixPath("/somewhere"), when=datetime.date(2024, 1, 1))
    content = {
        "state_dict": weights,
        "hyper_parameters": {"args": args, "preprocessor": Preprocessor(), "class": Preprocessor},
        "loops": {"counts": collections.defaultdict(list, {"a": [1]}), "set": {1, 2}, "score": np.float64(0.5)},
        "optimizer_states": [{"state": {0: {"step": torch.tensor(3.0)}}}],
        "epoch": 4,
        "bytes": b"\x00\xff",
    }
    torch.save(content, tmp_path / "x.ckpt")
    monkeypatch.undo()
    found, read_content = read(tmp_path / "x.ckpt")
    assert list(found) == ["a", "b"]
    assert found["a"].tolist() == [1, 1]
    hyper = read_content["hyper_parameters"]
    assert isinstance(hyper["args"], Stub)
    assert isinstance(hyper["preprocessor"], Stub)
    assert read_content["epoch"] == 4
    assert read_content["bytes"] == b"\x00\xff"
    assert read_content["loops"]["set"] == {1, 2}
    assert "msml" not in sys.modules


def test_big_endian_storages(tmp_path):
    torch.save({"a": torch.tensor([1.5, -2.0])}, tmp_path / "little.pt")
    with zipfile.ZipFile(tmp_path / "little.pt") as source, zipfile.ZipFile(tmp_path / "big.pt", "w") as target:
        for name in source.namelist():
            data = b"big" if name.endswith("byteorder") else source.read(name)
            if name.endswith("data/0"):
                data = np.frombuffer(data, "<f4").astype(">f4").tobytes()
            target.writestr(name, data)
    assert read(tmp_path / "big.pt")[0]["a"].tolist() == [1.5, -2.0]


@pytest.mark.parametrize(
    "values",
    [
        (os.system, "touch HERE"),
        (builtins.eval, "open('HERE', 'w')"),
        (builtins.exec, "open('HERE', 'w')"),
        (builtins.getattr, "x", "upper"),
        (builtins.__import__, "os"),
        (subprocess.Popen, ["touch", "HERE"]),
        (subprocess.check_output, ["touch", "HERE"]),
        (io.open, "HERE", "w"),
        (pickle.loads, b"cposix\nsystem\n(S'touch HERE'\ntR."),
        (torch.load, "HERE"),
        (torch.hub.load, "HERE", "x"),
        (np.load, "HERE"),
        (os.makedirs, "HERE"),
        (zipfile.ZipFile, "HERE", "w"),
    ],
    ids=lambda values: f"{values[0].__module__}.{values[0].__name__}",
)
def test_a_call_is_refused(tmp_path, monkeypatch, values):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {"a": torch.ones(1)}, "x": [Calls(*values)]}, "evil.ckpt")
    with pytest.raises(FormatError, match="asks to call"):
        read(tmp_path / "evil.ckpt")
    assert os.listdir(tmp_path) == ["evil.ckpt"]


@pytest.mark.parametrize(
    "data",
    [
        b"cposix\nsystem\n(S'touch HERE'\ntR.",
        b"(S'touch HERE'\nios\nsystem\n.",
        b"(cos\nsystem\nS'touch HERE'\no.",
        b"\x80\x02cos\nsystem\nX\x0a\x00\x00\x00touch HERE\x85\x81.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0atouch HERE\x85R.",
        b"\x80\x04\x8c\x08builtins\x8c\x0deval.__call__\x93\x8c\x011\x85R.",
        b"\x80\x02ctorch\nFloatStorage\n)R.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(X\x01\x00\x00\x00aK\x00K\x01K\x01tR.",
        b"\x80\x02ctorch._utils\n_rebuild_parameter\n(K\x01\x88NtR.",
        b"\x80\x02X\x01\x00\x00\x00aQ.",
        b"\x80\x02(X\x06\x00\x00\x00moduleK\x01K\x01K\x01K\x01tQ.",
        b"\x80\x02cargparse\nNamespace\n}b.",
        b"\x80\x02\x82\x01.",
        b"\x80\x02}(K\x01",
        b"not a pickle",
        b"",
    ],
)
def test_broken_and_evil_pickles_are_refused(tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    write_raw(tmp_path / "evil.ckpt", data)
    with pytest.raises(FormatError, match=r"evil\.ckpt"):
        read(tmp_path / "evil.ckpt")
    assert os.listdir(tmp_path) == ["evil.ckpt"]


def test_a_state_that_would_be_set_is_ignored(tmp_path):
    numpy_array = np.arange(3)
    content = {"a": torch.ones(1), "array": numpy_array, "path": Calls(pathlib.PurePosixPath, "a", state={"_drv": 1})}
    torch.save(content, tmp_path / "x.pt")
    found, whole = read(tmp_path / "x.pt")
    assert list(found) == ["a"]
    assert isinstance(whole["array"], Stub)
    assert isinstance(whole["path"], Stub)


def test_members_of_enumerations_and_partial_functions_are_stubs(tmp_path):
    member = Calls(builtins.getattr, pathlib.PurePosixPath, "stem")
    content = {"a": torch.ones(1), "member": member, "partial": functools.partial(max, 1), "range": range(3)}
    torch.save(content, tmp_path / "x.pt")
    _, whole = read(tmp_path / "x.pt")
    assert isinstance(whole["member"], Stub)
    assert isinstance(whole["partial"], Stub)
    assert isinstance(whole["range"], Stub)


def test_a_function_that_is_only_named_does_no_harm(tmp_path):
    torch.save({"a": torch.ones(1), "activation": torch.nn.functional.relu, "loss": os.system}, tmp_path / "x.pt")
    assert list(read(tmp_path / "x.pt")[0]) == ["a"]


def test_tensors_must_lie_within_their_storage(tmp_path):
    reference = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
    for numbers in (b"K\x02K\x03\x85K\x01\x85", b"J\xff\xff\xff\xffK\x01\x85K\x01\x85", b"K\x00K\x05\x85K\x01\x85"):
        data = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + reference + numbers + b"\x89NtR."
        write_raw(tmp_path / "x.ckpt", data)
        with pytest.raises(FormatError, match="tensor"):
            read(tmp_path / "x.ckpt")


def test_what_is_no_checkpoint_is_named(tmp_path):
    torch.save({"a": torch.ones(3)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert is_checkpoint(tmp_path / "old.pt")
    with pytest.raises(FormatError, match=r"before torch 1\.6"):
        read(tmp_path / "old.pt")
    torch.save({"a": torch.randn(3000)}, tmp_path / "whole.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:-500])
    with pytest.raises(FormatError, match=r"cut\.pt"):
        read(tmp_path / "cut.pt")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(FormatError, match="no torch checkpoint"):
        read(tmp_path / "other.zip")
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "nothing.pt")
    with pytest.raises(DataError, match="cannot be read"):
        is_checkpoint(tmp_path / "nothing.pt")


def test_a_storage_that_is_gone_or_cut_is_named(tmp_path):
    torch.save({"a": torch.ones(3)}, tmp_path / "x.pt")
    for name, change in (("gone", lambda data: None), ("cut", lambda data: data[:5])):
        with zipfile.ZipFile(tmp_path / "x.pt") as source, zipfile.ZipFile(tmp_path / name, "w") as target:
            for member in source.namelist():
                data = source.read(member)
                data = change(data) if member.endswith("data/0") else data
                if data is not None:
                    target.writestr(member, data)
        with pytest.raises(FormatError, match="storage 0"):
            read(tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "message"),
    [
        # twice what the stack holds; of far more, a busy machine's time ends first
        (b"\x80\x02}" + b")" + b"\x85" * 300_000 + b"K\x01s.", "reading it fails on it, signal 11"),
        (b"\x80\x02(" + b"]" * 3 * 10**7 + b"t.", "is too large for a checkpoint of tensors"),
        (b"\x80\x02(" + b"(" * 10**6 + b".", "its pickle cannot be read safely"),
    ],
    ids=["a key nested too deep to be hashed", "millions of lists", "marks"],
)
def test_pickles_that_crash_or_fill_the_memory_are_one_line(tmp_path, data, message):
    path = tmp_path / "x.ckpt"
    write_raw(path, data)
    with pytest.raises(FormatError, match=message):
        read(path)


def test_tensors_that_share_a_storage_do_not_unpack_it_over_and_over(tmp_path):
    path = tmp_path / "x.ckpt"
    big = torch.zeros(500_000)
    torch.save({str(number): big[number : number + 2] for number in range(100)}, path)
    with pytest.raises(FormatError, match="its tensors are more than the file can hold: many share a storage"):
        read(path)
    torch.save({str(number): big for number in range(2)}, path)
    assert len(read(path)[0]) == 2


def test_a_tensor_is_no_larger_than_its_storage(tmp_path):
    torch.save({"a": torch.zeros(1).expand(10**9)}, tmp_path / "x.ckpt")
    with pytest.raises(FormatError, match="a tensor reaches beyond its storage"):
        read(tmp_path / "x.ckpt")
