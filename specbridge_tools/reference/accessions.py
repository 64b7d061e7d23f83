"""Reference spectra by their accessions, to be shown."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.reference.file import read_references
from specbridge_tools.reference.peaks import UNITS


@dataclasses.dataclass(frozen=True, eq=False)
class ShownSpectrum:
    """A reference spectrum for people.

    Attributes:
        accession: Its name.
        molecule: Name of its molecule, or where that is not known its SMILES.
        about: Adduct, energy, instrument, contributor and licence, those that are known.
        precursor_mz: m/z.
        mz: (p,) ascending.
        intensity: (p,) relative to the highest.
    """

    accession: str
    molecule: str
    about: str
    precursor_mz: float
    mz: NDArray[np.float64]
    intensity: NDArray[np.float64]


class Accessions:
    """The spectra of references, whatever their encoders."""

    def __init__(self, paths: Sequence[str | os.PathLike[str]]) -> None:
        """Read reference files; raises as `Reference.open` does."""
        self._contents = [read_references([path]) for path in paths]

    def find(self, accession: str) -> ShownSpectrum | None:
        """The spectrum of the first file that has this accession."""
        for spectra, texts, molecules, _ in self._contents:
            for row in texts.rows_of(accession):
                molecule = int(spectra.molecule[row])
                names = ("adduct", "collision_energy", "instrument", "contributor", "licence")
                return ShownSpectrum(
                    accession,
                    molecules.name[molecule] or molecules.smiles[molecule],
                    ", ".join(filter(None, (texts.text(name, row) for name in names))),
                    float(spectra.precursor[row]) / UNITS,
                    *spectra.peaks(row),
                )
        return None
