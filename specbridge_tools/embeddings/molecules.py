"""Molecule embeddings on disk.

HDF5; row i of every dataset is the same molecule, in the order in which the input first named it. A dataset is

    embedding        (n, d) float16 or float32   vectors of the molecular encoder, not normalised
    id               (n,) text                   of the first record with this structure
    all_ids          (n,) text                   ids of all records with this structure, `;` between them
    smiles           (n,) text                   canonical, without stereo
    isomeric_smiles  (n,) text                   of the first record, canonical, with its stereo
    inchikey14       (n,) 14 ASCII bytes         first block of the InChIKey
    formula          (n,) text                   Hill order
    exact_mass       (n,) float64                Da, sum of the atoms' monoisotopic masses
    name             (n,) text                   of the first record
    truncated        (n,) uint8                  1 where the encoder had to cut the SMILES
    count:NAME       (n,) text                   only where columns of the table were carried along: a number from 0,
                                                 the highest of the records with this structure

Root attributes: format = "specbridge-molecules", format_version = 1, created_by, n; encoder, weights_sha256 (of its
weights), dimension. (inchikey14, formula) is unique. Text is variable-length UTF-8 (`embeddings.columns`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.embeddings.column_file import ColumnFile, open_columns
from specbridge_tools.embeddings.columns import TEXT, VECTOR, ColumnWriter, Layout, create_columns
from specbridge_tools.hdf5_file import TextArray
from specbridge_tools.molecules.counts import PREFIX as COUNTS
from specbridge_tools.provenance import Part

if TYPE_CHECKING:
    from specbridge_tools.encoders.base import MoleculeEncoder

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
    attributes={"encoder": str, "weights_sha256": str, "dimension": int},
    advice="sb-embed-mols makes molecule embeddings",
)
ID_SEPARATOR = ";"


@dataclasses.dataclass(frozen=True, eq=False)
class MoleculeBlock:
    """m rows of a file: embedding (m, d), the rest (m,); text as str objects, inchikey14 as `<U14`.

    `counts` are the columns of counts by their names in the file.
    """

    embedding: NDArray[np.floating[Any]]
    id: TextArray
    all_ids: TextArray
    smiles: TextArray
    isomeric_smiles: TextArray
    inchikey14: NDArray[np.str_]
    formula: TextArray
    exact_mass: NDArray[np.float64]
    name: TextArray
    truncated: NDArray[np.uint8]
    counts: Mapping[str, TextArray] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.exact_mass)


class MoleculeEmbeddings(ColumnFile):
    """An open file of molecule embeddings; `len` is the number of molecules."""

    @property
    def molecule_head_sha256(self) -> str:
        """'': these vectors went through no model."""
        return ""

    @functools.cached_property
    def inchikey14(self) -> NDArray[np.str_]:
        """(n,) `<U14`, all in memory."""
        return self.read("inchikey14").astype("U14")

    @functools.cached_property
    def exact_mass(self) -> NDArray[np.float64]:
        """(n,), Da, all in memory."""
        return self.read("exact_mass")

    @property
    def count_columns(self) -> tuple[str, ...]:
        """The columns of counts."""
        return tuple(name for name in self._layout.columns if name.startswith(COUNTS))

    def blocks(self, size: int) -> Iterator[MoleculeBlock]:
        """Yield blocks of up to `size` rows, in order."""
        for columns in self.read_blocks(size):
            columns["inchikey14"] = columns["inchikey14"].astype("U14")
            counts = {name: columns.pop(name) for name in self.count_columns}
            yield MoleculeBlock(**columns, counts=counts)

    def _check(self) -> None:
        names = sorted(name for name in self._file.datasets if name.startswith(COUNTS))
        self._layout = layout_with(self._layout, names)
        super()._check()


def layout_with(layout: Layout, counts: Iterable[str]) -> Layout:
    """A layout with columns of counts as well."""
    return dataclasses.replace(layout, columns={**layout.columns, **dict.fromkeys(counts, TEXT)})


def open_molecule_embeddings(source: str | os.PathLike[str]) -> MoleculeEmbeddings:
    """Open a file, or stdin for `-`, for reading.

    Raises:
        DataError: If the file cannot be read.
        FormatError: If it is not such a file, of another version, or broken.
    """
    return open_columns(MoleculeEmbeddings, LAYOUT, source)


def joined_ids(texts: Iterable[str]) -> str:
    """Join texts of ids separated by `;` into one that has each id once, in order."""
    return ID_SEPARATOR.join(dict.fromkeys(ID_SEPARATOR.join(texts).split(ID_SEPARATOR)))


@contextlib.contextmanager
def create_molecule_embeddings(
    path: str | os.PathLike[str],
    *,
    encoder: MoleculeEncoder,
    dtype: str,
    counts: Iterable[str] = (),
    part: Part | None = None,
) -> Iterator[ColumnWriter]:
    """Yield the writer of a new file for the vectors of `encoder`, with columns of `counts`; see `create_columns`."""
    attributes = {
        "encoder": encoder.name,
        "weights_sha256": encoder.weights_sha256,
        "dimension": encoder.dimension,
    }
    with create_columns(path, layout_with(LAYOUT, counts), attributes, dtype=dtype, part=part) as writer:
        yield writer
