"""Morgan fingerprints, folded, and projected to fewer dimensions: by fixed random signs, or as fitted to molecules.

A file of a fitted projection is safetensors: `projection` (bits, d) float16 or float32 and `idf` (bits,) float32; its
header key `specbridge` is a JSON object with `format` = "specbridge-molecule-projection", `format_version`,
`created_by`, `radius`, `bits`, `counts` and `n_molecules`.
"""

import itertools
import json

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from specbridge_tools import pretrained
from specbridge_tools.encoders.registry import parse_options
from specbridge_tools.errors import DataError, FormatError, UsageError
from specbridge_tools.molecules.fingerprints import counts_matrix
from specbridge_tools.provenance import CREATED_BY, sha256_file, sha256_text
from specbridge_tools.streams import output_path

FORMAT = "specbridge-molecule-projection"
FORMAT_VERSION = 1
_BLOCK = 4096
_LIMITS = {"radius": (0, 10), "bits": (8, 1 << 20), "dimension": (0, 1 << 16), "seed": (0, (1 << 63) - 1)}


class MorganEncoder:
    """Morgan counts (or bits) times a matrix of random signs, divided by the square root of the dimension.

    Inner products are kept in expectation (Achlioptas, J. Comput. Syst. Sci. 66, 671, 2003). Dimension 0 leaves the
    fingerprint as it is. The sums are of whole numbers, so that the vectors are the same on every machine.

    fingerprint  (radius, bits): `encode_counts` takes such counts from whoever has them already
    """

    def __init__(self, *, radius=2, bits=4096, counts=False, dimension=512, seed=0):
        for name, value in (("radius", radius), ("bits", bits), ("dimension", dimension), ("seed", seed)):
            low, high = _LIMITS[name]
            if not low <= value <= high:
                raise UsageError(f"morgan: {name}={value} is not between {low} and {high}")
        options = f"radius={radius},bits={bits},counts={str(counts).lower()},dimension={dimension},seed={seed}"
        self.name = f"morgan:{options}"
        self.weights_sha256 = sha256_text(self.name)
        self.fingerprint = (radius, bits)
        self.counts = counts
        self.dimension = dimension or bits
        self.truncated = []
        self._signs = random_signs(bits, dimension, seed) if dimension else None

    @classmethod
    def from_argument(cls, argument):
        """`radius=2,bits=4096,counts=false,dimension=512,seed=0`, each with its default, or `file=PATH`."""
        key, _, path = argument.partition("=")
        if key == "file":
            return FittedMorganEncoder(path)
        return cls(**parse_options(argument, {"radius": 2, "bits": 4096, "counts": False, "dimension": 512, "seed": 0}))

    def encode(self, smiles):
        """Canonical SMILES -> (n, dimension) float32."""
        return self._project(_fingerprints(smiles, self.fingerprint, self.counts))

    def encode_counts(self, rows):
        """Dicts {bit: count} of molecules, as `chemistry.standardise_counted` gives them -> (n, dimension) float32."""
        return self._project(counts_matrix(rows, bits=self.fingerprint[1], counts=self.counts))

    def _project(self, fingerprints):
        if self._signs is None:
            return fingerprints.toarray()
        return (fingerprints @ self._signs) * np.float32(1 / np.sqrt(self.dimension))


def random_signs(n_rows, n_columns, seed):
    """(n_rows, n_columns) float32 of +1 and -1: the bits, lowest first, of the 64-bit words that the counter-based
    generator Philox4x64-10 (Salmon et al., SC11) gives for this key; 1 is +1. Row by row, the same everywhere."""
    n = n_rows * n_columns
    words = np.random.Philox(key=seed).random_raw(-(-n // 64)).astype("<u8")
    bits = np.unpackbits(words.view(np.uint8), bitorder="little", count=n)
    return (bits.astype(np.float32) * 2 - 1).reshape(n_rows, n_columns)


class FittedMorganEncoder:
    """Morgan counts as log(1 + count), or bits, weighted by rarity and projected by a matrix from a file.

    name  the same for every such file: the hash says which one it was
    """

    name = "morgan:fitted"

    def __init__(self, path):
        header, self._projection = _read_projection(path)
        self.weights_sha256 = sha256_file(path)
        self.fingerprint = (header["radius"], header["bits"])
        self.counts = header["counts"]
        self.dimension = self._projection.shape[1]
        self.truncated = []

    def encode(self, smiles):
        """Canonical SMILES -> (n, dimension) float32."""
        return self._project(_fingerprints(smiles, self.fingerprint, self.counts))

    def encode_counts(self, rows):
        """Dicts {bit: count} of molecules, as `chemistry.standardise_counted` gives them -> (n, dimension) float32."""
        return self._project(counts_matrix(rows, bits=self.fingerprint[1], counts=self.counts))

    def _project(self, fingerprints):
        return fingerprints.log1p() @ self._projection if self.counts else fingerprints @ self._projection


class ShippedEncoder(FittedMorganEncoder):
    """The fitted projection that ships with the package; the registry calls it `default`."""

    @classmethod
    def from_argument(cls, argument):
        if argument:
            raise UsageError(f"encoder default takes no options, found {argument!r}")
        path = pretrained.MOLECULES
        if not path.is_file():
            raise DataError("the weights that ship with the package are missing", where=path, advice="install it again")
        return cls(path)


def _fingerprints(smiles, fingerprint, counts):
    from specbridge_tools.molecules import chemistry

    radius, bits = fingerprint
    return chemistry.morgan_counts(smiles, radius=radius, bits=bits, counts=counts)


def fit_projection(smiles, destination, *, radius=2, bits=4096, counts=True, dimension=512, force=False):
    """Fit a projection to molecules (canonical SMILES, any iterable, read once) and write it to `destination`.

    Rows of the fingerprint matrix are weighted by idf = log((1 + N) / (1 + df)) for N molecules, df of which have the
    bit; the projection holds the `dimension` leading right singular vectors of that matrix (latent semantic analysis:
    Deerwester et al., J. Am. Soc. Inf. Sci. 41, 391, 1990), times idf at encoding time. Exact, from the eigenvectors of
    the (bits, bits) matrix of inner products, so that memory does not grow with N; each vector's largest entry is
    positive. Raises `DataError` where there are fewer than `dimension` molecules.
    """
    products = np.zeros((bits, bits))
    df = np.zeros(bits)
    n = 0
    smiles = iter(smiles)
    while block := list(itertools.islice(smiles, _BLOCK)):
        fingerprints = _fingerprints(block, (radius, bits), counts).astype(np.float64)
        df += np.bincount(fingerprints.indices, minlength=bits)
        weighted = fingerprints.log1p() if counts else fingerprints
        products += (weighted.T @ weighted).toarray()
        n += len(block)
    if not 0 < dimension <= min(n, bits):
        raise DataError(f"{n} molecules and {bits} bits cannot be fitted by {dimension} dimensions")
    idf = np.log((1 + n) / (1 + df))
    vectors = np.linalg.eigh(products * idf[:, None] * idf)[1][:, : -dimension - 1 : -1]
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(dimension)])
    header = {"radius": radius, "bits": bits, "counts": counts, "n_molecules": n}
    _write_projection(vectors, idf, header, destination, force)


def _write_projection(vectors, idf, header, destination, force):
    tensors = {"projection": np.ascontiguousarray(vectors, np.float16), "idf": idf.astype(np.float32)}
    header = {"format": FORMAT, "format_version": FORMAT_VERSION, "created_by": CREATED_BY, **header}
    with output_path(destination, force=force) as temporary:
        save_file(tensors, temporary, metadata={"specbridge": json.dumps(header, sort_keys=True)})


def _read_projection(path):
    """Header and idf[:, None] * projection (bits, d) float32 of a file; checks what it holds."""
    advice = "expected a projection made by encoders.morgan.fit_projection"
    try:
        with safe_open(path, framework="np") as file:
            header = json.loads((file.metadata() or {}).get("specbridge", "{}"))
            if (header.get("format"), header.get("format_version")) != (FORMAT, FORMAT_VERSION):
                found = f"{header.get('format')} version {header.get('format_version')}"
                raise FormatError(f"is {found}, expected {FORMAT} version {FORMAT_VERSION}", where=path)
            idf, projection = file.get_tensor("idf"), file.get_tensor("projection")
            known = {name: header[name] for name in ("radius", "bits", "counts")}
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", where=path) from error
    except (SafetensorError, ValueError, KeyError, AttributeError) as error:
        raise FormatError(f"holds no projection ({error})", where=path, advice=advice) from error
    if projection.ndim != 2 or len(projection) != known["bits"] or idf.shape != (known["bits"],):
        raise FormatError(f"projection {projection.shape} and idf {idf.shape} do not fit its bits", where=path)
    return known, idf.astype(np.float32)[:, None] * projection.astype(np.float32)
