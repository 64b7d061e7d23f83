"""Morgan fingerprints, folded, and projected to fewer dimensions: by fixed random signs, or as fitted to molecules.

A file of a fitted projection is safetensors: `projection` (bits, d) float16 or float32 and `idf` (bits,) float32; its
header key `specbridge` is a JSON object with `format` = "specbridge-molecule-projection", `format_version`,
`created_by`, `radius`, `bits`, `counts` and `n_molecules`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specbridge_tools import pretrained
from specbridge_tools.encoders.registry import parse_options
from specbridge_tools.errors import DataError, FormatError, UsageError
from specbridge_tools.molecules.fingerprints import counts_matrix
from specbridge_tools.provenance import CREATED_BY, sha256_file, sha256_text
from specbridge_tools.streams import output_path
from specbridge_tools.weights.plain_values import value_of
from specbridge_tools.weights.tensor_file import Header, check_header, read_tensor_file, write_tensor_file

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FORMAT = "specbridge-molecule-projection"
FORMAT_VERSION = 1
_BLOCK = 4096
_LIMITS = {"radius": (0, 10), "bits": (8, 1 << 20), "dimension": (0, 1 << 16), "seed": (0, (1 << 63) - 1)}


class CountsEncoder:
    """Vectors from Morgan counts or bits; what is made of those is up to the class.

    Attributes:
        fingerprint: Radius and number of bits of the counts.
        counts: Whether counts are read, else bits.
        dimension: Length of a vector.
        truncated: Always empty, since no molecule is too long.
    """

    dimension: int

    def __init__(self, fingerprint: tuple[int, int], *, counts: bool) -> None:
        self.fingerprint = fingerprint
        self.counts = counts
        self.truncated: list[str] = []

    def encode(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        """Canonical SMILES -> (n, dimension)."""
        return self._project(_fingerprints(smiles, self.fingerprint, self.counts))

    def encode_counts(self, rows: Sequence[Mapping[int, int]]) -> NDArray[np.float32]:
        """{bit: count} of n molecules, as `chemistry.standardise_counted` returns them -> (n, dimension)."""
        return self._project(counts_matrix(rows, bits=self.fingerprint[1], counts=self.counts))

    def encode_matrix(self, fingerprints: csr_matrix) -> NDArray[np.float32]:
        """Fingerprints (n, bits), as `counts_matrix` makes them -> (n, dimension)."""
        return self._project(fingerprints)

    def _project(self, fingerprints: csr_matrix) -> NDArray[np.float32]:
        """(n, bits) -> (n, dimension)."""
        raise NotImplementedError


class MorganEncoder(CountsEncoder):
    """Morgan counts (or bits) times a matrix of random signs, divided by the square root of the dimension.

    Inner products are kept in expectation (Achlioptas, J. Comput. Syst. Sci. 66, 671, 2003). Dimension 0 leaves the
    fingerprint as it is. The sums are of whole numbers, so that the vectors are the same on every machine.
    """

    def __init__(
        self, *, radius: int = 2, bits: int = 4096, counts: bool = False, dimension: int = 512, seed: int = 0
    ) -> None:
        for name, value in (("radius", radius), ("bits", bits), ("dimension", dimension), ("seed", seed)):
            low, high = _LIMITS[name]
            if not low <= value <= high:
                raise UsageError(f"morgan: {name}={value} is not between {low} and {high}")
        super().__init__((radius, bits), counts=counts)
        options = f"radius={radius},bits={bits},counts={str(counts).lower()},dimension={dimension},seed={seed}"
        self.name = f"morgan:{options}"
        self.weights_sha256 = sha256_text(self.name)
        self.dimension = dimension or bits
        self._signs = random_signs(bits, dimension, seed) if dimension else None

    @classmethod
    def from_argument(cls, argument: str) -> MorganEncoder | FittedMorganEncoder:
        """`radius=2,bits=4096,counts=false,dimension=512,seed=0`, each with its default, or `file=PATH`."""
        key, _, path = argument.partition("=")
        if key == "file":
            return FittedMorganEncoder(path)
        return cls(**parse_options(argument, {"radius": 2, "bits": 4096, "counts": False, "dimension": 512, "seed": 0}))

    def _project(self, fingerprints: csr_matrix) -> NDArray[np.float32]:
        if self._signs is None:
            return fingerprints.toarray()
        return (fingerprints @ self._signs) * np.float32(1 / np.sqrt(self.dimension))


def random_signs(n_rows: int, n_columns: int, seed: int) -> NDArray[np.float32]:
    """Random signs, row by row, the same everywhere.

    They are the bits, lowest first, of the 64-bit words that the counter-based generator Philox4x64-10 (Salmon et al.,
    SC11) draws for this key; 1 is +1.

    Returns:
        (n_rows, n_columns) of +1 and -1.
    """
    n = n_rows * n_columns
    words = np.random.Philox(key=seed).random_raw(-(-n // 64)).astype("<u8")
    bits = np.unpackbits(words.view(np.uint8), bitorder="little", count=n)
    return (bits.astype(np.float32) * 2 - 1).reshape(n_rows, n_columns)


class FittedMorganEncoder(CountsEncoder):
    """Morgan counts as log(1 + count), or bits, weighted by rarity and projected by a matrix from a file.

    Attributes:
        name: The same for every such file: the hash says which one it was.
    """

    name = "morgan:fitted"

    def __init__(self, path: str | Path) -> None:
        header, self._projection = _read_projection(path)
        super().__init__((header["radius"], header["bits"]), counts=header["counts"])
        self.weights_sha256 = sha256_file(path)
        self.dimension = self._projection.shape[1]

    @classmethod
    def from_argument(cls, argument: str) -> FittedMorganEncoder:
        """`PATH`."""
        return cls(argument)

    def _project(self, fingerprints: csr_matrix) -> NDArray[np.float32]:
        return fingerprints.log1p() @ self._projection if self.counts else fingerprints @ self._projection


class ShippedEncoder(FittedMorganEncoder):
    """The fitted projection that ships with the package; the registry calls it `default`."""

    @classmethod
    def from_argument(cls, argument: str) -> ShippedEncoder:
        if argument:
            raise UsageError(f"encoder default takes no options, found {argument!r}")
        path = pretrained.MOLECULES
        if not path.is_file():
            raise DataError("the weights that ship with the package are missing", where=path, advice="install it again")
        return cls(path)


def _fingerprints(smiles: Sequence[str], fingerprint: tuple[int, int], counts: bool) -> csr_matrix:
    from specbridge_tools.molecules import chemistry

    radius, bits = fingerprint
    return chemistry.morgan_counts(smiles, radius=radius, bits=bits, counts=counts)


def fit_projection(
    smiles: Iterable[str],
    destination: str | Path,
    *,
    radius: int = 2,
    bits: int = 4096,
    counts: bool = True,
    dimension: int = 512,
    force: bool = False,
) -> None:
    """Fit a projection to molecules and write it to a file.

    Rows of the fingerprint matrix are weighted by idf = log((1 + N) / (1 + df)) for N molecules, df of which have the
    bit; the projection holds the `dimension` leading right singular vectors of that matrix (latent semantic analysis:
    Deerwester et al., J. Am. Soc. Inf. Sci. 41, 391, 1990), times idf at encoding time. Exact, from the eigenvectors of
    the (bits, bits) matrix of inner products, so that memory does not grow with N; each vector's largest entry is
    positive.

    Args:
        smiles: Canonical SMILES, read once.
        destination: Path of the file, or `-`.
        radius: Of the fingerprint.
        bits: Of the fingerprint.
        counts: Whether log(1 + count) is projected, else bits.
        dimension: Length of a vector.
        force: Whether a file that exists is replaced.

    Raises:
        DataError: Where there are fewer than `dimension` molecules.
    """
    products, df, n = _inner_products(smiles, (radius, bits), counts)
    if not 0 < dimension <= min(n, bits):
        raise DataError(f"{n} molecules and {bits} bits cannot be fitted by {dimension} dimensions")
    idf = np.log((1 + n) / (1 + df))
    vectors = np.linalg.eigh(products * idf[:, None] * idf)[1][:, : -dimension - 1 : -1]
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(dimension)])
    tensors = {"projection": np.ascontiguousarray(vectors, np.float16), "idf": idf.astype(np.float32)}
    header = {"format": FORMAT, "format_version": FORMAT_VERSION, "created_by": CREATED_BY}
    header |= {"radius": radius, "bits": bits, "counts": counts, "n_molecules": n}
    with output_path(destination, force=force) as temporary:
        write_tensor_file(tensors, header, temporary)


def _inner_products(
    smiles: Iterable[str], fingerprint: tuple[int, int], counts: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Inner products of the columns of the fingerprints (bits, bits), molecules with each bit (bits,), molecules."""
    bits = fingerprint[1]
    products, df, n = np.zeros((bits, bits)), np.zeros(bits), 0
    smiles = iter(smiles)
    while block := list(itertools.islice(smiles, _BLOCK)):
        fingerprints = _fingerprints(block, fingerprint, counts).astype(np.float64)
        df += np.bincount(fingerprints.indices, minlength=bits)
        weighted = fingerprints.log1p() if counts else fingerprints
        products += (weighted.T @ weighted).toarray()
        n += len(block)
    return products, df, n


def _read_projection(path: str | Path) -> tuple[Header, NDArray[np.float32]]:
    """The checked header of a file, and idf[:, None] * projection (bits, d)."""
    header, tensors = read_tensor_file(path)
    check_header(header, path, expected_format=FORMAT, version=FORMAT_VERSION)
    try:
        idf, projection = tensors["idf"], tensors["projection"]
    except KeyError as error:
        raise FormatError(f"is a {FORMAT} without {error}", where=path, advice="fit it again") from error
    bits = value_of(header, "bits", int, path, most=_LIMITS["bits"][1])
    radius = value_of(header, "radius", int, path, most=_LIMITS["radius"][1])
    header = {"radius": radius, "bits": bits, "counts": value_of(header, "counts", bool, path)}
    if projection.ndim != 2 or len(projection) != bits or idf.shape != (bits,):
        message = f"projection {projection.shape} and idf {idf.shape} do not fit the {bits} bits of its header"
        raise FormatError(message, where=path, advice="fit it again")
    for name, tensor in (("idf", idf), ("projection", projection)):
        if tensor.dtype.kind != "f" or not np.isfinite(tensor).all():
            raise FormatError(f"tensor {name} holds no finite numbers", where=path, advice="fit it again")
    return header, idf.astype(np.float32)[:, None] * projection.astype(np.float32)
