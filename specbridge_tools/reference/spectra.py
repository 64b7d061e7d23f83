"""Reference spectra in memory, and what is found among them. Apart from the search, which is compiled."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.reference.peaks import UNITS

_SAME_ION_PPM = 20
_SAME_ION_UNITS = 100  # at least: 0.01 Da


@dataclasses.dataclass(frozen=True, eq=False)
class SpectrumTable:
    """The n spectra of a reference, as they are compared.

    Attributes:
        molecule: (n,) int32 row of its molecule.
        precursor: (n,) int32 units.
        polarity: (n,) int8.
        charge: (n,) int8.
        energy: (n,) float32 collision energy in eV, NaN where unknown.
        starts: (n + 1,) int64: the peaks of spectrum i are those from starts[i] up to starts[i + 1].
        mz: (peaks,) int32 units.
        intensity: (peaks,) uint16.
    """

    molecule: NDArray[np.int32]
    precursor: NDArray[np.int32]
    polarity: NDArray[np.int8]
    charge: NDArray[np.int8]
    energy: NDArray[np.float32]
    starts: NDArray[np.int64]
    mz: NDArray[np.int32]
    intensity: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.molecule)

    def peaks(self, row: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """m/z and relative intensity (0 to 1) of a spectrum."""
        part = slice(self.starts[row], self.starts[row + 1])
        return self.mz[part] / UNITS, self.intensity[part] / np.float64(65_535)


@dataclasses.dataclass(frozen=True, eq=False)
class Best:
    """The best spectrum of each of m molecules by one kind of similarity.

    Attributes:
        similarity: (m,) 0 where there is none.
        spectrum: (m,) int32 row of the spectrum, -1 where there is none.
    """

    similarity: NDArray[np.float64]
    spectrum: NDArray[np.int32]

    @classmethod
    def none(cls, n_molecules: int) -> Best:
        return cls(np.zeros(n_molecules), np.full(n_molecules, -1, np.int32))


@dataclasses.dataclass(frozen=True, eq=False)
class Similarities:
    """What the spectra of one query are like, the best spectrum of each molecule by each kind of evidence.

    Attributes:
        same_ion: Same polarity and precursor m/z, all peaks.
        same_polarity_fragments: Another ion of the same polarity, fragments.
        same_polarity_losses: The same, neutral losses.
        other_polarity_fragments: Of the other polarity, fragments of one composition or of one neutral piece.
        hybrid: Same polarity, whatever the ion, fragments and neutral losses; of each spectrum of the query apart.
    """

    same_ion: Best
    same_polarity_fragments: Best
    same_polarity_losses: Best
    other_polarity_fragments: Best
    hybrid: list[Best]


def same_ion_width(precursor: int) -> int:
    """How far the precursors of one ion may be apart, in units."""
    return max(_SAME_ION_UNITS, precursor * _SAME_ION_PPM // 1_000_000)
