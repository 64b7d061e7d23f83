"""Spectra and the molecules that they belong to, with decoys of the same mass: what training and validation read."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.embeddings.molecules import MoleculeEmbeddings, open_molecule_embeddings
from specbridge_tools.encoders.spectral.features import SpectrumFeatures
from specbridge_tools.errors import NoneUsableError
from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.records import NO_STRUCTURE, Rejection, Tally
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.streams import Source

NOT_EMBEDDED = "molecule not among the embeddings"
_BLOCK = 50_000


@dataclasses.dataclass(frozen=True)
class Library:
    """The part of a file of molecule embeddings that training needs: m truths and decoys.

    Attributes:
        inchikey14: (m,).
        exact_mass: (m,), Da, ascending.
        vectors: (m, d) float16 or float32, as in the file.
    """

    inchikey14: NDArray[np.str_]
    exact_mass: NDArray[np.float64]
    vectors: NDArray[np.floating[Any]]


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Spectra with their molecules.

    Attributes:
        features: Of n spectra.
        molecule: (n,), row of the truth in the library.
        library: Truths and decoys.
        decoys: Row of a truth -> (k,) rows of other molecules of the same mass.
    """

    features: SpectrumFeatures
    molecule: NDArray[np.int64]
    library: Library
    decoys: Mapping[int, NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.molecule)

    @property
    def keys(self) -> set[str]:
        """First InChIKey blocks of the molecules, each once."""
        return set(self.library.inchikey14[np.unique(self.molecule)].tolist())


def read_pairs(
    sources: Sequence[Source],
    molecules: str | os.PathLike[str],
    *,
    features_of: Callable[[Sequence[Spectrum]], SpectrumFeatures],
    half_width: Callable[[float], float],
    max_decoys: int | None,
    tally: Tally,
    reading: Reading = DEFAULT_READING,
    seed: int = 0,
) -> Pairs:
    """Read spectra with structures, and find their molecules and decoys.

    Args:
        sources: Files of spectra. Those without a structure, or whose molecule is not embedded, are rejected.
        molecules: File of molecule embeddings.
        features_of: Such as `AlignedModel.features`.
        half_width: Mass of a truth -> how far the mass of a decoy may be from it, both in Da.
        max_decoys: Decoys of a molecule at most, drawn at random; None for all.
        tally: Counts the spectra.
        reading: How the spectra are read; a precursor m/z that is missing follows from adduct and structure.
        seed: Of the draw.

    Raises:
        DataError: If a file cannot be read, or no spectrum is left.
    """
    with open_molecule_embeddings(molecules) as file:
        spectra, rows = _match(sources, file.inchikey14, reading, tally)
        if not spectra:
            raise NoneUsableError(
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


def _match(
    sources: Iterable[Source], keys: NDArray[np.str_], reading: Reading, tally: Tally
) -> tuple[list[Spectrum], NDArray[np.int64]]:
    """Usable spectra, and (n,): the row of the molecule of each among `keys`."""
    row_of: dict[str, int] = {}
    for row, key in enumerate(keys):
        row_of.setdefault(str(key), row)
    spectra, rows = [], []
    for record, key_row in _with_rows(sources, row_of, reading):
        if tally.count(record) and not isinstance(record, Rejection):
            spectra.append(record)
            rows.append(key_row)
    return spectra, np.array(rows, np.int64)


def _with_rows(
    sources: Iterable[Source], row_of: Mapping[str, int], reading: Reading
) -> Iterator[tuple[Spectrum | Rejection, int]]:
    """Yield each record, as a rejection if its molecule has no row, and its row, -1 for a rejection."""
    for source in sources:
        for record in read_spectra(source, reading=dataclasses.replace(reading, derive_precursor=True)):
            if isinstance(record, Rejection):
                yield record, -1
                continue
            key = structure_key(record)
            if key is not None and key in row_of:
                yield record, row_of[key]
                continue
            reason = NO_STRUCTURE if key is None else NOT_EMBEDDED
            yield Rejection(reason, id=record.id, record=record.record, line=record.line, source=str(source)), -1


def _same_mass(
    truths: NDArray[np.int64],
    keys: NDArray[np.str_],
    masses: NDArray[np.float64],
    half_width: Callable[[float], float],
    max_decoys: int | None,
    seed: int,
) -> dict[int, NDArray[np.int64]]:
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


def _read_library(
    file: MoleculeEmbeddings, rows: NDArray[np.int64], decoys: Mapping[int, NDArray[np.int64]]
) -> tuple[Library, NDArray[np.int64]]:
    """The library of truths and decoys, and (n_file,): row of the file -> row of the library, -1 for none."""
    needed = np.unique(np.concatenate([rows, *decoys.values()]))
    vectors = np.empty((len(needed), file.dimension), file.embedding.dtype)
    for start in range(0, len(file), _BLOCK):
        first, last = np.searchsorted(needed, [start, start + _BLOCK])
        if first < last:
            vectors[first:last] = file.read("embedding", start, start + _BLOCK)[needed[first:last] - start]
    order = np.argsort(file.exact_mass[needed], kind="stable")
    by_mass = needed[order]
    place = np.full(len(file), -1, np.int64)
    place[by_mass] = np.arange(len(needed))
    return Library(file.inchikey14[by_mass], file.exact_mass[by_mass], vectors[order]), place
