"""A molecular encoder without weights: exact, quick, and meaningless, for tests and for trying out pipes."""

import hashlib

import numpy as np

from specbridge_tools.encoders.registry import parse_options
from specbridge_tools.provenance import sha256_text


def hashed_counts(items, dimension):
    """(text, weight) pairs -> (dimension,) float32, each text hashed to a place and a sign."""
    # sha256, since Python's own hash differs between processes
    vector = np.zeros(dimension, np.float32)
    for item, weight in items:
        digest = hashlib.sha256(item.encode()).digest()
        sign = 1.0 if digest[4] & 1 else -1.0
        vector[int.from_bytes(digest[:4], "little") % dimension] += sign * weight
    return vector


class ToyMoleculeEncoder:
    """Hashed counts of the 1-, 2- and 3-letter substrings of the SMILES."""

    def __init__(self, *, dimension=32):
        self.dimension = dimension
        self.name = f"toy:dimension={dimension}"
        self.weights_sha256 = sha256_text(self.name)
        self.truncated = []

    @classmethod
    def from_argument(cls, argument):
        return cls(**parse_options(argument, {"dimension": 32}))

    def encode(self, smiles):
        """SMILES -> (n, dimension) float32."""
        rows = [
            hashed_counts([(s[i : i + n], 1.0) for n in (1, 2, 3) for i in range(len(s) - n + 1)], self.dimension)
            for s in smiles
        ]
        return np.stack(rows) if rows else np.zeros((0, self.dimension), np.float32)
