"""HDF5: embeddings of molecules and spectra, indexes, references."""

import functools
import io
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
from fuzz import seeds
from fuzz.cases import BYTES, Case, Format, several
from fuzz.limits import Outcome

MODULES = ("info", "merge", "build_index", "query", "embed_mols", "embed_spectra", "build_reference", "evaluate")
_OUT = ("-o", "out")
_INDEX = (
    ("sb-info", "{file}"),
    ("sb-merge", "{file}", *_OUT),
    ("sb-merge", "{file}", "{seeds}/index.h5", *_OUT),
    ("sb-query", "{seeds}/spectra.h5", "--index", "{file}", "--rerank", "0", *_OUT),
    ("sb-query", "{seeds}/spectra.h5", "--index", "{file}", "--rerank", "0", "--mode", "open", *_OUT),
)


_STANDARDS = "".join(
    f"BEGIN IONS\nTITLE={name}\nPEPMASS={mz}\nCHARGE=1+\nADDUCT=[M+H]+\nSMILES={smiles}\nLICENSE=CC0\n"
    "65.0386 10\n110.0600 100\nEND IONS\n\n"
    for name, mz, smiles in (("a", 152.0706, "CC(=O)Nc1ccc(O)cc1"), ("b", 195.0877, "CN1C=NC2=C1C(=O)N(C)C(=O)N2C"))
)


def make_seeds(folder: Path) -> dict[str, Sequence[tuple[str, ...]]]:
    seeds.make_library(folder)
    seeds.make_model(folder / "model.safetensors")
    embed = ("sb-embed-spectra", "spectra.mgf", "--model", "model.safetensors", "-o", "spectra.h5", "--threads", "1")
    seeds.run(folder, *embed)
    seeds.run(folder, "sb-build-index", "molecules.h5", "-o", "lists.h5", "--ivf", "--ivf-lists", "2", "--threads", "1")
    seeds.run(folder, "sb-build-index", "molecules.h5", "-o", "graph.h5", "--hnsw", "--threads", "1")
    (folder / "standards.mgf").write_text(_STANDARDS)
    (folder / "hits.tsv").write_text("query_id\trank\tscore\tinchikey14\tsmiles\na\t1\t0.5\tRZVAJINKPMORJF\tCCO\n")
    seeds.run(folder, "sb-build-reference", "standards.mgf", "-o", "reference.h5", "--encoder", "toy")
    return {
        "reference.h5": (
            ("sb-info", "{file}"),
            ("sb-merge", "{file}", *_OUT),
            ("sb-merge", "{file}", "{seeds}/reference.h5", *_OUT),
            ("sb-evaluate", "{seeds}/hits.tsv", "--truth", "{seeds}/standards.mgf", "--reference", "{file}", *_OUT),
        ),
        "molecules.h5": (
            ("sb-info", "{file}"),
            ("sb-merge", "{file}", "{seeds}/molecules.h5", *_OUT),
            ("sb-build-index", "{file}", *_OUT, "--threads", "1"),
        ),
        "spectra.h5": (
            ("sb-info", "{file}"),
            ("sb-merge", "{file}", "{seeds}/spectra.h5", *_OUT),
            ("sb-query", "{file}", "--index", "{seeds}/index.h5", "--rerank", "0", *_OUT),
        ),
        "index.h5": _INDEX,
        "lists.h5": _INDEX,
        "graph.h5": _INDEX,
    }


def changed(content: bytes, change: Callable[[h5py.File], None]) -> bytes:
    """The bytes of a file after a change by h5py; those before where it refuses the change."""
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        try:
            change(file)
        except (TypeError, ValueError, OSError, KeyError, OverflowError):
            return content
    return stream.getvalue()


_VALUES = (
    -1, 0, 1, 3, 10**6, 2**31, 2**62, -(2**62), 0.5, float("nan"), float("inf"), "", "x", "a\0b", "\x1b[31m",
    b"\xff\xfe",
    np.arange(4), np.zeros((2, 3)), [["a", "b"]], np.float16(1), np.uint64(2**64 - 1), np.zeros(0), h5py.Empty("f4"),
    h5py.Empty("S1"), np.bytes_(b"ab"), True, 1j, np.zeros(2, [("a", "f4")]), "x" * 40_000,
)  # fmt: skip


@functools.cache
def _in_use(content: bytes) -> list[int]:
    """Where a file is not all zeros: mostly the library's own structures."""
    return np.flatnonzero(np.frombuffer(content, np.uint8)).tolist()


def change_structure(content: bytes, rng: random.Random) -> bytes:
    """Bytes of superblock, headers, trees and heaps: bits, or other numbers of any length."""
    changed, places = bytearray(content), _in_use(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = max(0, rng.choice(places) - rng.randrange(8))
        match rng.randrange(4):
            case 0:
                changed[at] ^= 1 << rng.randrange(8)
            case 1:
                changed[at] = rng.choice((0, 1, 2, 8, 0x10, 0x7F, 0x80, 0xFF))
            case 2:  # an address of something else
                place = rng.choice(places)
                changed[at : at + 8] = changed[place : place + 8]
            case _:
                length = rng.choice((2, 4, 8))
                number = rng.choice((0, 1, 24, 1 << 15, len(content), rng.randrange(len(content)), (1 << 64) - 1))
                changed[at : at + length] = (number % (1 << 8 * length)).to_bytes(length, "little")
    return bytes(changed[: len(content)])


def change_attribute(content: bytes, rng: random.Random) -> bytes:
    def change(file: h5py.File) -> None:
        items = [file, *(file[name] for name in file if len(file[name].attrs))]
        attributes = rng.choice((file, rng.choice(items))).attrs
        name = rng.choice([*attributes, "part"])
        if rng.random() < 0.2:
            attributes.pop(name, None)
        else:
            attributes[name] = rng.choice(_VALUES)

    return changed(content, change)


def change_dataset(content: bytes, rng: random.Random) -> bytes:
    """Another type, shape, length or layout; or none."""

    def change(file: h5py.File) -> None:
        name = rng.choice(list(file))
        values = file[name][()]
        kinds = ("f2", ">f4", "f8", "i1", "u8", "S1", "S14", "?", h5py.string_dtype(), h5py.string_dtype(length=5))
        del file[name]
        match rng.randrange(8):
            case 0:
                file[name] = np.zeros(values.shape, rng.choice(kinds[:-2]))
            case 1:
                file.create_dataset(name, rng.choice([(), (0,), (1,), (5, 2), (2, 2, 2), (6,)]), rng.choice(kinds))
            case 2:
                file[name] = np.concatenate([values, values])
            case 3:
                file[name] = values[:-1]
            case 4:
                file[name] = np.expand_dims(values, rng.choice((0, -1)))
            case 5:
                file.create_dataset(name, data=values, chunks=True, compression="gzip", maxshape=(None,) * values.ndim)
            case 6:
                file[name] = h5py.Empty(rng.choice(kinds))

    return changed(content, change)


def change_values(content: bytes, rng: random.Random) -> bytes:
    """Numbers and texts that no command has written."""

    def change(file: h5py.File) -> None:
        dataset = file[rng.choice(list(file))]
        rows = [rng.randrange(len(dataset)) for _ in range(rng.randint(1, 3))]
        for row in rows:
            if dataset.dtype.kind == "O":
                texts = ("", "x" * 70_000, "a\tb\nc", "\x1b[31m", "=cmd|x", b"\xff\xfe", "C" * 2000, "C1CC", "[M+H]+")
                dataset[row] = rng.choice(texts)
            elif dataset.dtype.kind == "S":
                dataset[row] = rng.choice((b"", b"\xff" * 14, b"a\tb", b"\x1b[31m"))
            elif dataset.dtype.kind == "f":
                dataset[row] = rng.choice((np.nan, np.inf, -np.inf, -1, 0, 1e300, 5e-324))
            else:
                bounds = np.iinfo(dataset.dtype)
                dataset[row] = rng.choice((bounds.min, bounds.max, 0, 1, 5, 7))

    return changed(content, change)


def add_foreign(content: bytes, rng: random.Random) -> bytes:
    """Links, groups, values in other files."""

    def change(file: h5py.File) -> None:
        name = rng.choice([*file, "other"])
        shape = file[name].shape if name in file else (3,)
        dtype = file[name].dtype if name in file and file[name].dtype.kind != "O" else np.dtype("u1")
        size = max(1, int(np.prod(shape))) * dtype.itemsize
        file.pop(name, None)
        match rng.randrange(6):
            case 0:
                file[name] = h5py.SoftLink(rng.choice(("/", "/id", "/nowhere", f"/{name}")))
            case 1:
                file[name] = h5py.ExternalLink(rng.choice(("secret", "/etc/passwd", "changed")), "/id")
            case 2:
                file.create_dataset(name, shape, dtype, external=[("secret", 0, size)])
            case 3:
                file.create_group(name)["id"] = file["/"]
            case 4:
                layout = h5py.VirtualLayout(shape, dtype)
                layout[...] = h5py.VirtualSource("changed", name, shape)
                file.create_virtual_dataset(name, layout)
            case _:
                file[name] = rng.choice((np.dtype("f4"), np.zeros(3, [("a", "f4")]), np.zeros(3, h5py.ref_dtype)))

    return changed(content, change)


_COUNTS = re.compile(rb"(\d+) (?:records|spectra|molecules|queries)")


def lost(case: Case, outcome: Outcome, folder: Path) -> str:
    """Rows of the file that are neither in the output nor counted."""
    if case.arguments[0] == "sb-info":
        return "" if outcome.stdout.startswith(b"file\t") else "no output"
    return "" if (folder / "out").is_file() else "no output"


FORMAT = Format(
    modules=[f"specbridge_tools.cli.{name}" for name in MODULES]
    + [
        "specbridge_tools.describe",
        "specbridge_tools.parts.merge",
        "specbridge_tools.parts.merge_hdf5",
        "specbridge_tools.identification.identify",
        "specbridge_tools.identification.default_model",
        "specbridge_tools.search.index.build",
        "specbridge_tools.progress",
        "specbridge_tools.encoders.molecular.toy",
        "specbridge_tools.bridge.model",
        "faiss",
        "hnswlib",
    ],
    make_seeds=make_seeds,
    mutators=(
        *BYTES,
        several(BYTES),
        *(change_structure,) * 4,
        change_attribute,
        change_dataset,
        change_values,
        add_foreign,
    ),
    lost=lost,
)
