"""Spectra and the molecules that they belong to, with decoys of the same mass: what training and validation read."""

import dataclasses

import numpy as np

from specbridge_tools.embeddings.molecules import open_molecule_embeddings
from specbridge_tools.encoders.spectral.features import SpectrumFeatures
from specbridge_tools.errors import DataError
from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.records import Rejection
from specbridge_tools.spectra.reader import read_spectra

NO_STRUCTURE = "no structure"
NOT_EMBEDDED = "molecule not among the embeddings"
_BLOCK = 50_000


@dataclasses.dataclass(frozen=True)
class Library:
    """The part of a molecule file that training needs: truths and their decoys.

    inchikey14  (m,) str; vectors (m, d) float16 or float32 as in the file; exact_mass (m,) float64, Da, ascending
    """

    inchikey14: np.ndarray
    exact_mass: np.ndarray
    vectors: np.ndarray


@dataclasses.dataclass(frozen=True)
class Pairs:
    """n spectra with their molecules.

    features      `SpectrumFeatures` of n spectra
    molecule      (n,) int64, row of the truth in `library`
    library       `Library`
    decoys        row of a truth -> (k,) int64 rows of other molecules of the same mass
    """

    features: SpectrumFeatures
    molecule: np.ndarray
    library: Library
    decoys: dict

    def __len__(self):
        return len(self.molecule)

    @property
    def keys(self):
        """First InChIKey blocks of the molecules, each once."""
        return set(self.library.inchikey14[np.unique(self.molecule)].tolist())


def read_pairs(sources, molecules, *, features_of, half_width, max_decoys, tally, input_format="auto", seed=0):
    """Read spectra with structures and find their molecules and decoys in a molecule embeddings file.

    features_of   spectra -> `SpectrumFeatures` (`AlignedModel.features`)
    half_width    mass (Da) of a molecule -> how far that of a decoy may lie from it (Da)
    max_decoys    at most so many decoys a molecule, drawn with `seed`; None for all within `half_width`

    Spectra without a structure, or whose molecule is not in the file, are rejected in `tally`. Raises `DataError` where
    nothing is left.
    """
    with open_molecule_embeddings(molecules) as file:
        spectra, rows = _match(sources, file.inchikey14, input_format, tally)
        if not spectra:
            raise DataError(
                "no spectrum has its molecule among the embeddings",
                where=", ".join(map(str, sources)),
                advice=f"embed the molecules of these spectra into {molecules}",
            )
        decoys = _same_mass(np.unique(rows), file.inchikey14, file.exact_mass, half_width, max_decoys, seed)
        library, place = _read_library(file, rows, decoys)
    return Pairs(
        features=features_of(spectra),
        molecule=place[rows],
        library=library,
        decoys={int(place[row]): place[others] for row, others in decoys.items()},
    )


def _match(sources, keys, input_format, tally):
    """Usable spectra, and (n,) int64: the row of each one's molecule among `keys`."""
    row_of = {}
    for row, key in enumerate(keys):
        row_of.setdefault(str(key), row)
    spectra = list(tally.usable(_with_molecule(sources, row_of, input_format)))
    return spectra, np.array([row_of[structure_key(spectrum)] for spectrum in spectra], np.int64)


def _with_molecule(sources, row_of, input_format):
    for source in sources:
        for record in read_spectra(source, input_format=input_format):
            if isinstance(record, Rejection):
                yield record
                continue
            key = structure_key(record)
            if key in row_of:
                yield record
                continue
            reason = NO_STRUCTURE if key is None else NOT_EMBEDDED
            yield Rejection(reason, id=record.id, record=record.record, line=record.line, source=str(source))


def _same_mass(truths, keys, masses, half_width, max_decoys, seed):
    """Row of a truth -> rows of other molecules within the tolerance of its mass, ascending."""
    order = np.argsort(masses, kind="stable")
    ordered = masses[order]
    decoys = {}
    for row in truths:
        width = half_width(masses[row])
        first, last = np.searchsorted(ordered, [masses[row] - width, masses[row] + width + 1e-12])
        others = np.sort(order[first:last])
        others = others[keys[others] != keys[row]]
        if max_decoys is not None and len(others) > max_decoys:
            rng = np.random.default_rng([seed, int(row)])
            others = np.sort(rng.choice(others, max_decoys, replace=False))
        decoys[int(row)] = others
    return decoys


def _read_library(file, rows, decoys):
    """Vectors of truths and decoys, in order of mass, and (n_file,) int64: row of the file -> row of the library."""
    needed = np.unique(np.concatenate([rows, *decoys.values()]))
    vectors = np.empty((len(needed), file.dimension), file.embedding.dtype)
    for start in range(0, len(file), _BLOCK):
        first, last = np.searchsorted(needed, [start, start + _BLOCK])
        if first < last:
            vectors[first:last] = file.embedding[start : start + _BLOCK][needed[first:last] - start]
    order = np.argsort(file.exact_mass[needed], kind="stable")
    place = np.full(len(file), -1, np.int64)
    place[needed[order]] = np.arange(len(needed))
    kept = needed[order]
    return Library(file.inchikey14[kept], file.exact_mass[kept], vectors[order]), place
