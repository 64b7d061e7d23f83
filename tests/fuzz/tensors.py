"""safetensors: models with a ranker, projections of fingerprints."""

import json
import random
import struct
from collections.abc import Sequence
from pathlib import Path

from fuzz import seeds
from fuzz.cases import BYTES, Case, Format, several
from fuzz.limits import Outcome

_OUT = ("-o", "out", "--threads", "1")
_LIBRARY = ("--index", "{seeds}/index.h5")


def make_seeds(folder: Path) -> dict[str, Sequence[tuple[str, ...]]]:
    import torch

    from specbridge_tools.bridge.checkpoint import save_model
    from specbridge_tools.bridge.model import AlignedModel, ModelConfig
    from specbridge_tools.encoders.molecular.morgan import fit_projection
    from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder
    from specbridge_tools.fragmentation.fragments.fragmenter import CAPACITY, COST_LIMIT
    from specbridge_tools.fragmentation.network.ranker import Ranker
    from specbridge_tools.fragmentation.network.ranker_file import add_ranker, save_ranker
    from specbridge_tools.fragmentation.network.torch_network import TrainableNetwork

    seeds.make_library(folder)
    seeds.make_model(folder / "toy.safetensors")
    toy = ToyMoleculeEncoder(dimension=8)
    encoder = {"name": "massbins", "n_peaks": 8, "bin_width": 2.0, "width": 8, "n_fragments": 5, "n_losses": 5}
    config = ModelConfig(encoder, toy.name, toy.weights_sha256, 8, projector_hidden=8, molecule_head_depth=1)
    calibration = {"scale": 9.0, "none": 0.1, "none_log_candidates": 0.1, "none_log_top": -0.2}
    model = AlignedModel(config)
    model.calibration = calibration
    save_model(model, folder / "plain.safetensors")
    network = TrainableNetwork(atom_size=4, hidden_size=6, last_size=5)
    fusion = {"cosine_weight": 1.0, "fragment_weight": 1.0, "calibration": {**calibration, "first": 50}}
    ranker = Ranker([network.weights()], {"capacity": CAPACITY, "limit": COST_LIMIT, **fusion, "group": fusion})
    add_ranker(ranker, folder / "plain.safetensors", folder / "model.safetensors")
    save_ranker(ranker, folder / "ranker.safetensors")
    fit_projection(["C" * n + "O" for n in range(1, 12)], folder / "projection.safetensors", bits=16, dimension=4)
    torch.set_num_threads(1)
    of_model = (
        ("sb-info", "{file}"),
        ("sb-embed-spectra", "{seeds}/spectra.mgf", "--model", "{file}", *_OUT),
        ("sb-query", "{seeds}/spectra.mgf", *_LIBRARY, "--model", "{file}", "--rerank", "0", *_OUT),
        ("sb-query", "{seeds}/spectra.mgf", *_LIBRARY, "--model", "{file}", *_OUT),
    )
    build = ("sb-build-index", "{seeds}/molecules.h5", "--model", "{file}", *_OUT)
    embed = ("sb-embed-mols", "{seeds}/molecules.tsv", "--encoder", "morgan:file=changed", *_OUT)
    return {
        "toy.safetensors": of_model[:3],
        "plain.safetensors": (*of_model[:3], build),
        "model.safetensors": of_model,
        "ranker.safetensors": (("sb-info", "{file}"),),
        "projection.safetensors": (("sb-info", "{file}"), embed),
    }


def _taken_apart(content: bytes) -> tuple[dict, dict, bytes]:
    """The file's header, ours in it, and the data."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    return header, json.loads(header["__metadata__"]["specbridge"]), content[8 + length :]


def _put_together(header: dict, ours: object, data: bytes) -> bytes:
    header["__metadata__"]["specbridge"] = ours if isinstance(ours, str) else json.dumps(ours)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


_ODD = (
    None, -1, 0, 1, 3, 10**5, 10**9, 2**63, 10**40, 0.5, -0.5, 1e-300, 1e300, float("nan"), float("inf"), "", "8",
    "nosuch", "\x1b[31m", [], [1, 2], {}, {"name": "toy"}, True, False,
)  # fmt: skip


def change_value(content: bytes, rng: random.Random) -> bytes:
    """One or two values of our header."""
    header, ours, data = _taken_apart(content)
    for _ in range(rng.choice((1, 1, 2))):
        inner = ours
        while True:
            name = rng.choice([*inner, "new"])
            if isinstance(inner.get(name), dict) and inner[name] and rng.random() < 0.85:
                inner = inner[name]
                continue
            break
        if rng.random() < 0.2:
            inner.pop(name, None)
        else:
            inner[name] = rng.choice(_ODD)
    return _put_together(header, ours, data)


def change_tensor(content: bytes, rng: random.Random) -> bytes:
    """Name, type, shape or place of a tensor."""
    header, ours, data = _taken_apart(content)
    name = rng.choice([name for name in header if name != "__metadata__"])
    tensor = header[name]
    shape, (start, stop) = tensor["shape"], tensor["data_offsets"]
    match rng.randrange(7):
        case 0:
            header[rng.choice(("other", "", name + ".x", "ranker.x", "ranker.9.metal"))] = header.pop(name)
        case 1:
            del header[name]
            data = data[:start] + data[stop:]
            for other in header.values():
                if "data_offsets" in other and other["data_offsets"][0] >= stop:
                    other["data_offsets"] = [place - (stop - start) for place in other["data_offsets"]]
        case 2:
            tensor["shape"] = rng.choice((shape[::-1], [*shape, 1], [1, *shape], [], [0], [-1], [10**12], ["8"], None))
        case 3:
            tensor["dtype"] = rng.choice(("F16", "BF16", "F64", "I32", "U32", "I64", "F8_E4M3", "BOOL", "X", 1))
        case 4:
            tensor["data_offsets"] = rng.choice(
                ([start, stop + 4], [0, 0], [stop, start], [-1, stop], [0, 10**15], "x")
            )
        case 5:
            tensor["dtype"], tensor["shape"] = {"F32": ("I32", shape), "I32": ("F32", shape)}.get(
                tensor["dtype"], ("U8", [stop - start])
            )
        case _:
            header["__metadata__"] = rng.choice(({}, {"specbridge": "[]"}, {"specbridge": "{"}, {"format": "pt"}))
            text = json.dumps(header).encode()
            return struct.pack("<Q", len(text)) + text + data
    return _put_together(header, ours, data)


def change_numbers(content: bytes, rng: random.Random) -> bytes:
    """Numbers of the tensors: none, infinite, out of range."""
    (length,) = struct.unpack("<Q", content[:8])
    changed = bytearray(content)
    odd = (b"\xff\xff\xff\xff", b"\0\0\x80\x7f", b"\0\0\xc0\x7f", b"\0\xff", b"\xff\xff\xff\x7e", b"\x10\x27\0\0")
    for _ in range(rng.choice((1, 5, 50))):
        at = rng.randrange(8 + length, len(content) - 4) & ~3
        value = rng.choice(odd)
        changed[at : at + len(value)] = value
    return bytes(changed)


def change_header(content: bytes, rng: random.Random) -> bytes:
    """Bytes of the header, whose length stays right or not."""
    (length,) = struct.unpack("<Q", content[:8])
    header = rng.choice(BYTES)(content[8 : 8 + length], rng)
    told = rng.choice((len(header), len(header), length, 0, 1 << 40, (1 << 64) - 1))
    return struct.pack("<Q", told) + header + content[8 + length :]


def lost(case: Case, outcome: Outcome, folder: Path) -> str:
    if case.arguments[0] == "sb-info":
        return "" if outcome.stdout.startswith(b"file\t") else "no output"
    if not (folder / "out").is_file():
        return "no output"
    written = (folder / "out").read_bytes()
    return "numbers that are none" if case.arguments[0] == "sb-query" and b"nan" in written.lower() else ""


_OF_HEADER = (change_value, change_value, change_value, change_value, change_tensor, change_tensor, change_tensor)

FORMAT = Format(
    modules=[
        *(f"specbridge_tools.cli.{name}" for name in ("info", "build_index", "query", "embed_mols", "embed_spectra")),
        "specbridge_tools.describe",
        "specbridge_tools.identification.identify",
        "specbridge_tools.identification.default_model",
        "specbridge_tools.identification.rerank",
        "specbridge_tools.search.index.build",
        "specbridge_tools.progress",
        "specbridge_tools.bridge.checkpoint",
        "specbridge_tools.encoders.spectral.toy",
        "specbridge_tools.encoders.spectral.mass_bins",
        "specbridge_tools.encoders.molecular.morgan",
        "specbridge_tools.embeddings.embed_molecules",
        "specbridge_tools.embeddings.embed_spectra",
        "specbridge_tools.molecules.chemistry",
        "safetensors.torch",
        "safetensors.numpy",
    ],
    make_seeds=make_seeds,
    mutators=(*BYTES, several(BYTES), change_header, *_OF_HEADER, change_numbers),
    lost=lost,
)
