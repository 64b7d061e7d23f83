"""Checkpoints of torch: zip archives with a pickle, which are read without running what is in it."""

import io
import pickle
import random
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

from fuzz.cases import BYTES, SECRET, Case, Format, several
from fuzz.limits import Outcome


def make_seeds(folder: Path) -> dict[str, Sequence[tuple[str, ...]]]:
    import torch

    from specbridge_tools.encoders.spectral.dreams.network import DreamsConfig, DreamsNetwork

    sizes = {"n_layers": 1, "d_peak": 4, "d_fourier": 12, "n_heads": 8, "fourier_hidden": 4, "fourier_depth": 1}
    config = DreamsConfig.official(**sizes, frequencies="given", n_frequencies=6)
    torch.manual_seed(0)
    network = DreamsNetwork(config)
    torch.save({"state_dict": network.state_dict(), "epoch": 3, "hyper": {"lr": 1e-3}}, folder / "lightning.ckpt")
    head = {"head.weight": torch.randn(16, 16), "head.bias": torch.randn(16)}
    named = {f"backbone.{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save(named | head, folder / "embedding.ckpt")
    commands = (("sb-models", "import", "{file}", "out.safetensors"), ("sb-info", "{file}"))
    return {"lightning.ckpt": (*commands, commands[0]), "embedding.ckpt": (*commands, commands[0])}


def _changed(content: bytes, rng: random.Random, change) -> bytes:
    """The archive with members changed: change(rng, name, bytes) -> bytes or None for none."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            changed = change(rng, name, old.read(name))
            if changed is not None:
                new.writestr(name, changed, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
    return stream.getvalue()


def change_pickle(content: bytes, rng: random.Random) -> bytes:
    """Bytes of the pickle."""
    mutate = rng.choice((*BYTES, several(BYTES)))
    return _changed(content, rng, lambda rng, name, data: mutate(data, rng) if name.endswith("data.pkl") else data)


def change_numbers(content: bytes, rng: random.Random) -> bytes:
    """Numbers in the pickle: sizes, strides, offsets, keys of storages."""

    def change(rng: random.Random, name: str, data: bytes) -> bytes:
        if not name.endswith("data.pkl"):
            return data
        changed = bytearray(data)
        places = [at for at, code in enumerate(data) if code in b"KMJ"]  # small, two-byte and four-byte numbers
        for _ in range(rng.choice((1, 1, 3))):
            at = rng.choice(places)
            length = {ord("K"): 1, ord("M"): 2, ord("J"): 4}[data[at]]
            values = (0, 1, 255, 65535, -1, 2**31 - 1, -(2**31), rng.randrange(256))
            number = rng.choice(values) % (1 << 8 * length)
            changed[at + 1 : at + 1 + length] = number.to_bytes(length, "little")
        return bytes(changed[: len(data)])

    return _changed(content, rng, change)


def change_members(content: bytes, rng: random.Random) -> bytes:
    """Members that are missing, cut or of other content."""

    def change(rng: random.Random, name: str, data: bytes) -> bytes | None:
        if rng.random() < 0.9 or not data:
            return data
        odd = struct.pack("<f", rng.choice((float("nan"), float("inf"), 3e38))) * (len(data) // 4 + 1)
        return rng.choice((None, b"", data[:-1], data + b"x", odd[: len(data)], bytes(len(data))))

    return _changed(content, rng, change)


class _Asks:
    """Pickles as a call of what opens the file of another."""

    def __init__(self, call, *arguments):
        self._call = call, arguments

    def __reduce__(self):
        return self._call


def hostile_pickle(content: bytes, rng: random.Random) -> bytes:
    """Pickles that nest deep, unpack to much, or ask for calls."""
    import os

    deep = b"\x80\x02)" + b"\x85" * rng.choice((10**3, 10**5, 10**6))
    pickles = (
        deep + b".",
        b"\x80\x02}" + deep[2:] + b"K\x01s.",
        b"\x80\x02(" + b"]" * rng.choice((10**6, 2 * 10**7)) + b"t.",
        b"\x80\x02" + b"(" * rng.choice((10**5, 5 * 10**6)) + b".",
        b"\x80\x02(" + b"}" * 10**6 + b"l.",
        b"\x80\x02]" + b"q\x00h\x00h\x00h\x00e" * 10**5 + b".",
        b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"\xff" * 100 + b".",
        b"\x80\x02\x8b" + struct.pack("<i", 5 * 10**5) + b"\x7f" * (5 * 10**5) + b".",
        pickle.dumps(_Asks(open, "secret")),
        pickle.dumps(_Asks(os.system, "cat secret")),
        pickle.dumps({"state_dict": _Asks(eval, repr(SECRET.decode()))}),
        pickle.dumps({(1, 2): 3, "state_dict": {5: 6}}),
        pickle.dumps([1, 2, {"a": {1, 2}, "b": frozenset([3]), "c": 1j}]),
    )
    hostile = rng.choice(pickles)
    return _changed(content, rng, lambda rng, name, data: hostile if name.endswith("data.pkl") else data)


def shared_storage(content: bytes, rng: random.Random) -> bytes:
    """All tensors of one storage, many times."""
    import torch

    big = torch.zeros(rng.choice((10**3, 10**6)))
    names = [f"transformer_encoder.atts.{number}.weight" for number in range(rng.choice((10, 1000)))]
    tensors = {name: big[: rng.choice((1, 16, len(big)))] for name in names}
    if rng.random() < 0.5:
        tensors = {name: tensor[:1].expand(rng.choice((16, 10**9))) for name, tensor in tensors.items()}
    stream = io.BytesIO()
    torch.save({"state_dict": tensors}, stream)
    return stream.getvalue()


def lost(case: Case, outcome: Outcome, folder: Path) -> str:
    if case.arguments[0] == "sb-models":
        return "" if (folder / "out.safetensors").is_file() else "no output"
    return ""


FORMAT = Format(
    modules=[
        "specbridge_tools.cli.models",
        "specbridge_tools.cli.info",
        "specbridge_tools.describe",
        "specbridge_tools.encoders.spectral.dreams.weights",
        "specbridge_tools.encoders.spectral.dreams.encoder",
        "safetensors.torch",
    ],
    make_seeds=make_seeds,
    mutators=(
        *BYTES,
        several(BYTES),
        *(change_pickle, change_numbers) * 3,
        change_members,
        change_members,
        hostile_pickle,
        hostile_pickle,
        shared_storage,
    ),
    lost=lost,
)
