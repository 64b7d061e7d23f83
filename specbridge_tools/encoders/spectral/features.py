"""What a spectral encoder reads of a spectrum: peaks, adduct, collision energy."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.molecules.adducts import parse_adduct
from specbridge_tools.spectra.batch import PeakBatch, batch_peaks
from specbridge_tools.spectra.energy import collision_energy_ev
from specbridge_tools.spectra.spectrum import Spectrum

ADDUCT_MISSING, POSITIVE, NEGATIVE = 0, 1, 2  # an adduct outside the list counts by its polarity
_ADDUCTS = (
    "[M+H]+",
    "[M+Na]+",
    "[M+K]+",
    "[M+NH4]+",
    "[M]+",
    "[M-H2O+H]+",
    "[M+2H]2+",
    "[M-H]-",
    "[M+Cl]-",
    "[M+HCOO]-",
    "[M+CH3COO]-",
    "[M-2H]2-",
    "[M]-",
)
ADDUCT_INDEX = {parse_adduct(name).name: 3 + i for i, name in enumerate(_ADDUCTS)}
N_ADDUCTS = 3 + len(_ADDUCTS)


@dataclasses.dataclass(frozen=True)
class SpectrumFeatures:
    """n spectra as arrays.

    Attributes:
        peaks: Of n spectra.
        adduct: (n,), index into the known adducts; 0 missing, 1 another positive, 2 another negative.
        energy_ev: (n,), collision energy in eV, NaN where missing.
    """

    peaks: PeakBatch
    adduct: NDArray[np.int64]
    energy_ev: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.adduct)

    def take(self, rows: NDArray[np.int64], *, width: int | None = None) -> SpectrumFeatures:
        """The features of these rows, peaks padded to `width`, by default to the longest of them."""
        return SpectrumFeatures(self.peaks.take(rows, width=width), self.adduct[rows], self.energy_ev[rows])


def spectrum_features(spectra: Sequence[Spectrum], *, n_peaks: int, fixed_width: bool = False) -> SpectrumFeatures:
    """Read what spectral encoders read; `fixed_width` pads to `n_peaks` instead of the longest spectrum."""
    energies = [collision_energy_ev(spectrum) for spectrum in spectra]
    return SpectrumFeatures(
        batch_peaks(spectra, n_peaks, pad_to=n_peaks if fixed_width else None),
        np.array([_adduct_index(spectrum) for spectrum in spectra], np.int64),
        np.array([np.nan if energy is None else energy for energy in energies], np.float32),
    )


def _adduct_index(spectrum: Spectrum) -> int:
    other = {1: POSITIVE, -1: NEGATIVE}.get(spectrum.polarity, ADDUCT_MISSING)
    return other if spectrum.adduct is None else ADDUCT_INDEX.get(spectrum.adduct, other)
