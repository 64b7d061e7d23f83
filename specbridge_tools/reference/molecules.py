"""The molecules of a reference, and what candidates are compared with them by: substructures and frozen vectors."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.encoders.base import FingerprintEncoder, MoleculeEncoder
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.errors import DataError, MismatchError, UsageError

if TYPE_CHECKING:
    from scipy import sparse

FINGERPRINT = (2, 4096)
"""Radius and bits of the Morgan counts that a reference holds."""
_REMEMBERED = 50_000  # candidates


def find_encoder(name: str, weights_sha256: str, where: str) -> MoleculeEncoder:
    """The molecular encoder of a file, by its name, or the one that ships.

    Raises:
        MismatchError: Where it is not on this machine.
    """
    for spec in (name, "default"):
        with contextlib.suppress(DataError, UsageError):
            made: MoleculeEncoder = MOLECULE_ENCODERS.create(spec)
            if made.weights_sha256 == weights_sha256:
                return made
    message = f"belongs to the molecular encoder {name} [weights {weights_sha256[:8]}], which was not found"
    raise MismatchError(message, where=where, advice="name it: --encoder")


@dataclasses.dataclass(frozen=True, eq=False)
class MoleculeTable:
    """The m molecules of a reference.

    Attributes:
        inchikey14: (m,) their identities, each once.
        smiles: (m,) canonical.
        formula: (m,).
        name: (m,) '' where it is not known.
        starts: (m + 1,) where the bits of each molecule start in the next two, and where those of the last one end.
        bit: Bits of Morgan counts, see `FINGERPRINT`, ascending in each molecule, int32.
        count: Of each of them, float32.
        embedding: (m, dimension) float16 for an encoder that does not read these counts, else (0, dimension).
    """

    inchikey14: Sequence[str]
    smiles: Sequence[str]
    formula: Sequence[str]
    name: Sequence[str]
    starts: NDArray[np.integer]
    bit: NDArray[np.int32]
    count: NDArray[np.float32]
    embedding: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.inchikey14)

    @functools.cached_property
    def counts(self) -> sparse.csr_matrix:
        """(m, bits) Morgan counts, float32."""
        # here, as it takes longer to import than all the rest of this room, which a command may not need
        from scipy import sparse

        return sparse.csr_matrix((self.count, self.bit, self.starts), shape=(len(self), FINGERPRINT[1]))

    @functools.cached_property
    def bits(self) -> sparse.csr_matrix:
        """(m, bits) float32, 1 for each substructure."""
        return (self.counts > 0).astype(np.float32)

    @functools.cached_property
    def row_of(self) -> dict[str, int]:
        """{InChIKey block: row}."""
        return {key: row for row, key in enumerate(self.inchikey14)}


@dataclasses.dataclass(frozen=True, eq=False)
class MoleculeFeatures:
    """What n molecules are compared by.

    Attributes:
        bits: (n, bits) float32, 1 for each substructure.
        vectors: (n, dimension) float32 of the frozen encoder, unit norm.
    """

    bits: sparse.csr_matrix
    vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.vectors)


class Featuriser:
    """Computes `MoleculeFeatures`, and remembers those of candidates."""

    def __init__(self, encoder: MoleculeEncoder) -> None:
        self.encoder = encoder
        self._reads_counts = reads_counts(encoder)
        self._known: dict[str, tuple[NDArray[np.int32], NDArray[np.float32]]] = {}

    def __reduce__(self) -> tuple[type[Featuriser], tuple[MoleculeEncoder]]:
        return Featuriser, (self.encoder,)  # for worker processes: without what it remembers

    def of_smiles(self, smiles: Sequence[str]) -> MoleculeFeatures:
        """The features of molecules by their canonical SMILES; raises `DataError` where one cannot be read."""
        from scipy import sparse

        new = [text for text in dict.fromkeys(smiles) if text not in self._known]
        if len(self._known) + len(new) > _REMEMBERED:
            new, self._known = list(dict.fromkeys(smiles)), {}
        if new:
            self._learn(new)
        rows = [self._known[text] for text in smiles]
        if not rows:
            nothing = sparse.csr_matrix((0, FINGERPRINT[1]), dtype=np.float32)
            return MoleculeFeatures(nothing, np.zeros((0, self.encoder.dimension), np.float32))
        indptr = np.cumsum([0, *(len(bits) for bits, _ in rows)])
        indices = np.concatenate([bits for bits, _ in rows])
        ones = np.ones(len(indices), np.float32)
        bits = sparse.csr_matrix((ones, indices, indptr), shape=(len(rows), FINGERPRINT[1]))
        return MoleculeFeatures(bits, np.stack([vector for _, vector in rows]))

    def vectors(self, counts: sparse.csr_matrix, smiles: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, dimension), unit norm, of Morgan counts (n, bits) and the SMILES behind them."""
        return self._vectors(_rows(counts) if self._reads_counts else [], smiles)

    def _vectors(self, rows: Sequence[Mapping[int, int]], smiles: Sequence[str]) -> NDArray[np.float32]:
        if isinstance(self.encoder, FingerprintEncoder) and self._reads_counts:
            return unit_norm(self.encoder.encode_counts(rows))
        return unit_norm(self.encoder.encode(smiles))

    def _learn(self, smiles: Sequence[str]) -> None:
        rows = _counted(smiles)
        for text, row, vector in zip(smiles, rows, self._vectors(rows, smiles), strict=True):
            self._known[text] = np.array(list(row), np.int32), vector


def _counted(smiles: Sequence[str]) -> list[dict[int, int]]:
    """{bit: count}, bits ascending, of molecules; raises `DataError` where one cannot be read."""
    from specbridge_tools.molecules.plain_morgan import plain_counts

    radius, bits = FINGERPRINT
    plain = [plain_counts(text, radius=radius, bits=bits) for text in smiles]
    rest = iter(_counted_by_rdkit([text for text, row in zip(smiles, plain, strict=True) if row is None]))
    return [next(rest) if row is None else dict(zip(*map(np.ndarray.tolist, row), strict=True)) for row in plain]


def _counted_by_rdkit(smiles: Sequence[str]) -> list[dict[int, int]]:
    """As `_counted`; of no molecules without the import of RDKit."""
    if not smiles:
        return []
    from specbridge_tools.molecules.chemistry import morgan_counts

    radius, bits = FINGERPRINT
    return _rows(morgan_counts(smiles, radius=radius, bits=bits, counts=True))


def _rows(counts: sparse.csr_matrix) -> list[dict[int, int]]:
    """{bit: count} of each row, bits ascending."""
    bits, values, ends = counts.indices.tolist(), counts.data.astype(int).tolist(), counts.indptr.tolist()
    return [dict(zip(bits[a:b], values[a:b], strict=True)) for a, b in itertools.pairwise(ends)]


def reads_counts(encoder: MoleculeEncoder) -> bool:
    """Whether an encoder's vectors follow from the counts that a reference holds."""
    return isinstance(encoder, FingerprintEncoder) and encoder.fingerprint == FINGERPRINT


def tanimoto(bits: sparse.csr_matrix, others: NDArray[np.float32]) -> NDArray[np.float64]:
    """Tanimoto coefficients (n, a) of the bits (n, bits) and (a, bits) of molecules; sums of whole numbers."""
    common = (bits @ others.T).astype(np.float64)
    total = np.asarray(bits.sum(axis=1), np.float64).reshape(-1, 1) + others.sum(axis=1, dtype=np.float64)
    return common / np.maximum(total - common, 1)


def unit_norm(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Vectors (n, d) of norm 1; those of norm 0 stay."""
    norms = np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1, keepdims=True))
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)
