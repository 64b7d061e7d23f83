"""The library of known molecules in one small file: its format, reading and writing it.

A safetensors file; its header key `specbridge` is a JSON object with `format` = "specbridge-library",
`format_version`, `created_by`, `n_molecules`, `licence`, `radius` and `bits` of the fingerprints, `rdkit`, the version
that made them, and `sha256` of all tensors. Row i of every column is the same molecule; rows ascend by exact mass,
equal ones by `inchikey14`, as in an index. Each tensor is a column as bytes (uint8), compressed with xz:

    inchikey14, smiles, formula, name, id, sources    UTF-8, a line for each molecule; sources has `;` between its tags;
                    an empty id stands for `inchikey:` and the block
    exact_mass      (n,) float64 Da, their bits as uint64, each less the one before, in eight planes: the lowest byte of
                    all, then the next one
    fingerprints    Morgan bits of the SMILES, as `library.bit_table` packs them, in the order of the SMILES
"""

from __future__ import annotations

import dataclasses
import hashlib
import lzma
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import FormatError
from specbridge_tools.library.bit_table import Bits, packed_bits, unpacked_bits
from specbridge_tools.provenance import CREATED_BY
from specbridge_tools.streams import Destination, output_path
from specbridge_tools.weights.plain_values import value_of
from specbridge_tools.weights.tensor_file import check_header, read_header, read_tensor_file, write_tensor_file

FORMAT = "specbridge-library"
FORMAT_VERSION = 1
TEXTS = ("inchikey14", "smiles", "formula", "name", "id", "sources")
_MASS = "exact_mass"
_FINGERPRINTS = "fingerprints"
_ADVICE = "install the package again"


@dataclasses.dataclass(frozen=True)
class LibraryFacts:
    """What the header of a library says.

    Attributes:
        path: The file.
        n_molecules: How many there are.
        licence: Of the library as a whole.
        fingerprint: Radius and number of bits.
        sha256: Of all that the file holds.
    """

    path: Path
    n_molecules: int
    licence: str
    fingerprint: tuple[int, int]
    sha256: str


@dataclasses.dataclass(frozen=True)
class MoleculeColumns:
    """n molecules in the order of an index.

    Attributes:
        exact_mass: (n,), Da.
        texts: Column of `TEXTS` -> n strings.
    """

    exact_mass: NDArray[np.float64]
    texts: Mapping[str, Sequence[str]]


def read_facts(path: Path) -> LibraryFacts:
    """The header of a library; raises `DataError` where it cannot be read or is none."""
    header = read_header(path)
    check_header(header, path, expected_format=FORMAT, version=FORMAT_VERSION)
    radius, bits = (value_of(header, name, int, path) for name in ("radius", "bits"))
    licence, sha256 = (value_of(header, name, str, path) for name in ("licence", "sha256"))
    return LibraryFacts(path, value_of(header, "n_molecules", int, path), licence, (radius, bits), sha256)


def read_columns(facts: LibraryFacts) -> MoleculeColumns:
    """All molecules of a library but for their fingerprints."""
    n = facts.n_molecules
    tensors = read_tensor_file(facts.path)[1]
    texts = {name: _unzipped(tensors, name, facts.path).decode().split("\n") for name in TEXTS}
    planes = np.frombuffer(_unzipped(tensors, _MASS, facts.path), np.uint8)
    ids = (given or f"inchikey:{key}" for given, key in zip(texts["id"], texts["inchikey14"], strict=False))
    texts["id"] = list(ids)
    if any(len(column) != n for column in texts.values()) or planes.size != 8 * n:
        raise FormatError("its columns are not of one length", where=facts.path, advice=_ADVICE)
    steps = np.ascontiguousarray(planes.reshape(8, n).T).view("<u8").reshape(n)
    return MoleculeColumns(np.cumsum(steps, dtype=np.uint64).view(np.float64), texts)


def read_bits(facts: LibraryFacts, smiles: Sequence[str]) -> Bits:
    """The fingerprints of a library, whose SMILES these are."""
    tensors = read_tensor_file(facts.path, prefix=_FINGERPRINTS)[1]
    data = _unzipped(tensors, _FINGERPRINTS, facts.path)
    return unpacked_bits(data, order_of(smiles), bits=facts.fingerprint[1], name=str(facts.path))


def order_of(smiles: Sequence[str]) -> NDArray[np.int64]:
    """Row numbers (n,) in the order of the SMILES, by code points: similar molecules often begin alike."""
    return np.array(sorted(range(len(smiles)), key=smiles.__getitem__), np.int64)


def write_library(
    columns: MoleculeColumns,
    bits: Bits,
    destination: Destination,
    *,
    fingerprint: tuple[int, int],
    licence: str,
    rdkit: str,
    force: bool = False,
) -> None:
    """Write a library; the same molecules give the same bytes."""
    steps = np.diff(columns.exact_mass.view(np.uint64), prepend=np.uint64(0))
    planes = np.ascontiguousarray(steps.astype("<u8").view(np.uint8).reshape(-1, 8).T)
    contents = {name: "\n".join(columns.texts[name]).encode() for name in TEXTS}
    contents |= {_MASS: planes.tobytes()}
    contents |= {_FINGERPRINTS: packed_bits(bits, order_of(columns.texts["smiles"]), bits=fingerprint[1])}
    tensors = {name: np.frombuffer(_zipped(content), np.uint8) for name, content in contents.items()}
    digest = hashlib.sha256("".join(hashlib.sha256(contents[name]).hexdigest() for name in sorted(contents)).encode())
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "created_by": CREATED_BY,
        "n_molecules": len(columns.exact_mass),
        "licence": licence,
        "radius": fingerprint[0],
        "bits": fingerprint[1],
        "rdkit": rdkit,
        "sha256": digest.hexdigest(),
    }
    with output_path(destination, force=force) as temporary:
        write_tensor_file(tensors, header, temporary)


def _zipped(content: bytes) -> bytes:
    return lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)


def _unzipped(tensors: Mapping[str, Any], name: str, path: Path) -> bytes:
    if name not in tensors:
        raise FormatError(f"has no column {name}", where=path, advice=_ADVICE)
    try:
        return lzma.decompress(tensors[name].tobytes())
    except lzma.LZMAError as error:
        raise FormatError(f"its column {name} is damaged ({error})", where=path, advice=_ADVICE) from error
