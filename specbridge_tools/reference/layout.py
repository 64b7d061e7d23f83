"""The bytes of a reference file, and what its values may be.

HDF5; every dataset is chunked, shuffled, compressed with gzip, little-endian. Row i of a spectrum's datasets is the
same spectrum, row j of a molecule's the same molecule, both in the order of the input; each accession is there once,
and each molecule.

Spectra:

    molecule        (n,) int32      row of its molecule
    precursor       (n,) int32      m/z in units of 0.1 mDa
    polarity        (n,) int8       1, -1, or 0 where unknown
    charge          (n,) int8       signed, 0 where unknown
    energy          (n,) float32    collision energy in eV, NaN where unknown
    n_peaks         (n,) uint16     how many of the rows of `mz` and `intensity` are its own: they follow each other
    accession       (bytes,) uint8  UTF-8, end to end
    accession_size  (n,) uint32     bytes of each
    T               (n,) uint32     for T = adduct, collision_energy, instrument, licence, contributor: place in a list
    T_list          (bytes,) uint8  the texts of the list, UTF-8, end to end
    T_list_size     (texts,) uint32

Peaks, cleaned (`reference.peaks`):

    mz              (peaks,) int32   in units of 0.1 mDa, ascending in each spectrum
    intensity       (peaks,) uint16  65,535 for the highest of a spectrum

Molecules:

    inchikey14      (m,) S14        first block of the InChIKey, ASCII
    U               (bytes,) uint8  for U = smiles (canonical), formula, name: UTF-8, end to end
    U_size          (m,) uint32
    n_bits          (m,) uint16     how many of the rows of `bit` and `count` are its own
    bit             (bits,) uint16  of the Morgan fingerprint of radius 2 and 4,096 bits, ascending in each molecule
    count           (bits,) uint16  how often
    embedding       (m, d) float16  the vector of the molecular encoder, unit norm; (0, d) where the counts give it

Root attributes: format = "specbridge-reference", format_version = 1, created_by, encoder, weights_sha256 and dimension
d of the molecular encoder, n (spectra), n_molecules; part, in the file of a shard, which one it is (`provenance.Part`).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from specbridge_tools.encoders.base import MoleculeEncoder
from specbridge_tools.errors import MismatchError
from specbridge_tools.reference.texts import REPEATED

FORMAT = "specbridge-reference"
FORMAT_VERSION = 1
ADVICE = "make it with sb-build-reference"
LISTS = {f"{name}_list": f"{name}_list_size" for name in REPEATED}
SPECTRUM_TEXTS = {"accession": "accession_size"}
MOLECULE_TEXTS = {name: f"{name}_size" for name in ("smiles", "formula", "name")}
TEXTS = {**SPECTRUM_TEXTS, **MOLECULE_TEXTS, **LISTS}
"""Dataset of bytes -> that of the sizes of its texts."""
OF_SPECTRA = ("molecule", "precursor", "polarity", "charge", "energy", "n_peaks", "accession_size", *REPEATED)
OF_MOLECULES = ("inchikey14", "n_bits", *MOLECULE_TEXTS.values())
COLUMNS: dict[str, str] = {
    "molecule": "<i4",
    "precursor": "<i4",
    "polarity": "|i1",
    "charge": "|i1",
    "energy": "<f4",
    "n_peaks": "<u2",
    **dict.fromkeys(REPEATED, "<u4"),
    "mz": "<i4",
    "intensity": "<u2",
    "inchikey14": "|S14",
    "n_bits": "<u2",
    "bit": "<u2",
    "count": "<u2",
    **dict.fromkeys(TEXTS, "|u1"),
    **dict.fromkeys(TEXTS.values(), "<u4"),
}
"""Dataset -> dtype, all of one dimension; `embedding` stands beside them."""
LARGEST = {dtype: int(np.iinfo(dtype).max) for dtype in ("<u2", "<i4", "<u4", "|i1")}


@dataclasses.dataclass(frozen=True)
class ReferenceSpace:
    """Which molecular encoder a reference belongs to.

    Attributes:
        encoder: Its name.
        weights_sha256: Hash of its weights.
        dimension: Of its vectors.
    """

    encoder: str
    weights_sha256: str
    dimension: int

    @classmethod
    def of(cls, encoder: MoleculeEncoder) -> ReferenceSpace:
        return cls(encoder.name, encoder.weights_sha256, encoder.dimension)

    def require(self, encoder: MoleculeEncoder, name: str) -> None:
        """Raise `MismatchError` unless the file `name` in this space belongs to `encoder`."""
        self.require_same(ReferenceSpace.of(encoder), name, "the model")

    def require_same(self, other: ReferenceSpace, name: str, other_name: str) -> None:
        """Raise `MismatchError`, naming both, unless two spaces are one."""
        if self != other:
            message = f"{name} belongs to {self}, but {other_name} to {other}"
            raise MismatchError(message, advice="build the reference again with the encoder of your model")

    def __str__(self) -> str:
        return f"{self.encoder} [weights {self.weights_sha256[:8]}, {self.dimension} dimensions]"
