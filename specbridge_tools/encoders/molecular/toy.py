"""A molecular encoder without weights: exact, quick, and meaningless, for tests and for trying out pipes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.encoders.registry import parse_options
from specbridge_tools.provenance import sha256_text


def hashed_counts(weighted_texts: Iterable[tuple[str, float]], dimension: int) -> NDArray[np.float32]:
    """(text, weight) pairs -> (dimension,), the weights summed at a place and with a sign that each text hashes to."""
    # sha256, since Python's own hash differs between processes
    vector = np.zeros(dimension, np.float32)
    for text, weight in weighted_texts:
        digest = hashlib.sha256(text.encode()).digest()
        sign = 1.0 if digest[4] & 1 else -1.0
        vector[int.from_bytes(digest[:4], "little") % dimension] += sign * weight
    return vector


class ToyMoleculeEncoder:
    """Hashed counts of the 1-, 2- and 3-letter substrings of the SMILES."""

    def __init__(self, *, dimension: int = 32) -> None:
        self.dimension = dimension
        self.name = f"toy:dimension={dimension}"
        self.weights_sha256 = sha256_text(self.name)
        self.truncated: list[str] = []

    @classmethod
    def from_argument(cls, argument: str) -> ToyMoleculeEncoder:
        return cls(**parse_options(argument, {"dimension": 32}))

    def encode(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        """SMILES -> (n, dimension)."""
        rows = [
            hashed_counts([(s[i : i + n], 1.0) for n in (1, 2, 3) for i in range(len(s) - n + 1)], self.dimension)
            for s in smiles
        ]
        return np.stack(rows) if rows else np.zeros((0, self.dimension), np.float32)
