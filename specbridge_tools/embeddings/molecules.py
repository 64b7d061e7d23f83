"""Molecule embeddings on disk.

HDF5; row i of every dataset is the same molecule, in the order in which the input first named it. A dataset is

    embedding        (n, d) float16 or float32   vectors of the molecular encoder as it gives them, not normalised
    id               (n,) text                   of the first record with this structure
    all_ids          (n,) text                   ids of all records with this structure, `;` between them
    smiles           (n,) text                   canonical, without stereo
    isomeric_smiles  (n,) text                   of the first record, canonical, with its stereo
    inchikey14       (n,) 14 ASCII bytes         first block of the InChIKey
    formula          (n,) text                   Hill order
    exact_mass       (n,) float64                Da, sum of the atoms' monoisotopic masses
    name             (n,) text                   of the first record
    truncated        (n,) uint8                  1 where the encoder had to cut the SMILES

Root attributes: format = "specbridge-molecules", format_version = 1, created_by, n; encoder, weights_sha256 (of its
weights), dimension. (inchikey14, formula) is unique. Text is variable-length UTF-8 (`embeddings.columns`).
"""

import contextlib
import dataclasses
import functools

import numpy as np

from specbridge_tools.embeddings.column_file import ColumnFile, open_columns
from specbridge_tools.embeddings.columns import TEXT, VECTOR, Layout, create_columns

LAYOUT = Layout(
    format="specbridge-molecules",
    columns={
        "embedding": VECTOR,
        "id": TEXT,
        "all_ids": TEXT,
        "smiles": TEXT,
        "isomeric_smiles": TEXT,
        "inchikey14": "S14",
        "formula": TEXT,
        "exact_mass": "<f8",
        "name": TEXT,
        "truncated": "u1",
    },
    attributes=("encoder", "weights_sha256", "dimension"),
    advice="sb-embed-mols makes molecule embeddings",
)
ID_SEPARATOR = ";"


@dataclasses.dataclass(frozen=True, eq=False)
class MoleculeBlock:
    """m rows of a file: embedding (m, d), the rest (m,); text as str objects, inchikey14 as `<U14`."""

    embedding: np.ndarray
    id: np.ndarray
    all_ids: np.ndarray
    smiles: np.ndarray
    isomeric_smiles: np.ndarray
    inchikey14: np.ndarray
    formula: np.ndarray
    exact_mass: np.ndarray
    name: np.ndarray
    truncated: np.ndarray

    def __len__(self):
        return len(self.exact_mass)


class MoleculeEmbeddings(ColumnFile):
    """An open file of molecule embeddings; `len` is the number of molecules."""

    @property
    def encoder(self):
        return self.attributes["encoder"]

    @property
    def weights_sha256(self):
        return self.attributes["weights_sha256"]

    @property
    def dimension(self):
        return self.attributes["dimension"]

    @property
    def embedding(self):
        """The vectors on disk; slicing reads them."""
        return self.dataset("embedding")

    @functools.cached_property
    def inchikey14(self):
        """(n,) `<U14`, read at once."""
        return self.read("inchikey14").astype("U14")

    @functools.cached_property
    def exact_mass(self):
        """(n,) float64, Da, read at once."""
        return self.read("exact_mass")

    def blocks(self, size):
        """Yield `MoleculeBlock`s of up to `size` rows, in order."""
        for columns in self.read_blocks(size):
            columns["inchikey14"] = columns["inchikey14"].astype("U14")
            yield MoleculeBlock(**columns)


def open_molecule_embeddings(source):
    """Open a file, or stdin for `-`, for reading.

    Raises `DataError` where it cannot be read, `FormatError` where it is no such file, of another version, or broken.
    """
    return open_columns(MoleculeEmbeddings, LAYOUT, source)


def joined_ids(texts):
    """Texts of ids, `;` between them -> one text with each id once, in order."""
    return ID_SEPARATOR.join(dict.fromkeys(ID_SEPARATOR.join(texts).split(ID_SEPARATOR)))


@contextlib.contextmanager
def create_molecule_embeddings(path, *, encoder, dtype, part=None):
    """Yield the `ColumnWriter` of a new file for the vectors of `encoder`, stored as `dtype`."""
    attributes = {
        "encoder": encoder.name,
        "weights_sha256": encoder.weights_sha256,
        "dimension": encoder.dimension,
    }
    with create_columns(path, LAYOUT, attributes, dtype=dtype, part=part) as writer:
        yield writer
