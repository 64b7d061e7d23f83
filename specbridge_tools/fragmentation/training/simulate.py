"""Spectra that a ranker's forward model expects of molecules that were never measured."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.fragmentation.fragments.batch import CandidateBatch
from specbridge_tools.fragmentation.network.numpy_network import EncodedCandidate, encode_candidate, ion_logits
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.peaks.ions import SHIFTS
from specbridge_tools.fragmentation.peaks.prepare import PRECURSOR_COLUMN, PRECURSOR_SCALE, Peaks
from specbridge_tools.molecules.adducts import parse_adduct
from specbridge_tools.spectra.spectrum import Spectrum

_MOST_IONS = 400
_MERGE_WIDTH = 0.001  # Da: ions closer than this are one peak
_LOWEST_MZ = 30.0


@dataclasses.dataclass(frozen=True)
class Noise:
    """How far a simulated spectrum is from the expected one.

    Attributes:
        intensity: Standard deviation of the natural logarithm of the square root of an intensity.
        missing: Share of the expected peaks that are left out.
        foreign: Highest share of the peaks that come from elsewhere.
        mz_ppm: Standard deviation of m/z.
    """

    intensity: float = 1.0
    missing: float = 0.3
    foreign: float = 0.5
    mz_ppm: float = 3.0

    def __post_init__(self) -> None:
        if not (0 <= self.missing <= 1 and 0 <= self.foreign <= 1 and self.intensity >= 0 and self.mz_ppm >= 0):
            raise ValueError(f"shares are in [0, 1] and deviations are not negative, but this is {self}")


@dataclasses.dataclass(frozen=True, eq=False)
class Template:
    """What a measured spectrum lends to a simulated one: kind of ion, conditions and number of its peaks, metadata."""

    peaks: Peaks
    metadata: Mapping[str, str]


def simulate(
    ranker: Ranker,
    smiles: str,
    exact_mass: float,
    template: Template,
    foreign_mz: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    noise: Noise | None = None,
    name: str = "",
) -> Spectrum | None:
    """Simulate a spectrum of a molecule as `template` was measured; None where no peak is left.

    Args:
        ranker: Its first network puts probabilities on ions; they are taken as square roots of intensities.
        smiles: The molecule.
        exact_mass: Da, of the neutral molecule.
        template: A measured spectrum of any molecule.
        foreign_mz: (k,) from which peaks that the molecule does not explain are drawn.
        rng: For all that is drawn.
        noise: None for the default.
        name: The spectrum's id.

    Raises:
        DataError: Where the molecule cannot be cut.
    """
    peaks, kind = template.peaks, template.peaks.kind
    adduct = parse_adduct(kind.adduct)
    precursor_mz = adduct.precursor_mz(exact_mass)
    mz, root = expected_peaks(ranker, smiles, peaks, precursor_mz)
    mz, intensity = _draw_peaks(mz, root, len(peaks.mz), foreign_mz, precursor_mz, noise or Noise(), rng)
    if not len(mz):
        return None
    return Spectrum(
        name,
        float(precursor_mz),
        mz.round(5),
        intensity.astype(np.float32),
        charge=adduct.charge,
        polarity=kind.polarity,
        adduct=kind.adduct,
        metadata={**template.metadata, "smiles": smiles},
    )


def _draw_peaks(
    mz: NDArray[np.float64],
    root: NDArray[np.float64],
    n_peaks: int,
    foreign_mz: NDArray[np.float64],
    precursor_mz: float,
    noise: Noise,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Peaks by m/z and their intensities: the highest of the expected ones after noise, and foreign ones.

    Empty where all expected peaks are missing.
    """
    root = root * np.exp(noise.intensity * rng.standard_normal(len(root)))
    root[rng.random(len(root)) < noise.missing] = 0
    n_own = max(1, int(n_peaks * (1 - noise.foreign * rng.random())))
    highest = np.argsort(-root, kind="stable")[:n_own]
    highest = highest[root[highest] > 0]
    if not len(highest):
        return np.zeros(0), np.zeros(0)
    mz, intensity = mz[highest], (root[highest] / root[highest[0]]) ** 2
    others = rng.choice(foreign_mz, n_peaks - n_own)
    others = others[others < precursor_mz - 1]
    low = np.minimum(0.9, 0.1 * np.exp(1.2 * rng.standard_normal(len(others)) - 1.5))
    mz, intensity = np.append(mz, others), np.append(intensity, low)
    mz = mz * (1 + 1e-6 * noise.mz_ppm * rng.standard_normal(len(mz)))
    order = np.argsort(mz)
    order = order[intensity[order] > 1e-5]
    return mz[order], intensity[order]


def expected_peaks(
    ranker: Ranker, smiles: str, peaks: Peaks, precursor_mz: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The m/z (k,) and square roots of the expected intensities (k,) of a molecule under the conditions of `peaks`."""
    batch, encoded = _encoded(ranker, smiles)
    context = peaks.context.copy()
    context[PRECURSOR_COLUMN] = precursor_mz / PRECURSOR_SCALE
    logits = ion_logits(ranker.networks[0], batch, encoded, context)  # (F, shifts)
    possible = batch.hydrogens[:, None] + SHIFTS >= 0
    mz, all_logits = [], []
    for charge_carrier in range(len(peaks.kind.charge_carrier_masses())):
        ion_mz = batch.masses[:, None] + peaks.kind.mz(0.0, SHIFTS, charge_carrier)
        mz.append(ion_mz[possible])
        metal_logit = ranker.networks[0]["metal"][charge_carrier] if peaks.kind.metal_mass else 0.0
        all_logits.append(logits[possible] + metal_logit)
    return _merged(np.concatenate(mz), np.concatenate(all_logits))


@functools.lru_cache(maxsize=4)
def _encoded(ranker: Ranker, smiles: str) -> tuple[CandidateBatch, list[EncodedCandidate]]:
    """The molecule, cut and encoded; few are remembered, since a molecule's spectra are simulated one after another."""
    candidate = ranker.candidate(smiles)
    return CandidateBatch([candidate]), [encode_candidate(ranker.networks[0], candidate)]


def _merged(mz: NDArray[np.float64], logits: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The most likely ions, those of one m/z merged."""
    most_likely = np.argsort(-logits, kind="stable")[:_MOST_IONS]
    most_likely = most_likely[np.argsort(mz[most_likely], kind="stable")]
    mz, weight = mz[most_likely], np.exp(logits[most_likely] - logits.max())
    group = np.append(0, np.cumsum(np.diff(mz) > _MERGE_WIDTH))
    total = np.asarray(np.bincount(group, weight), np.float64)
    has_weight = total > 0  # the least likely ions have none as float32
    centre = np.bincount(group, weight * mz)[has_weight] / total[has_weight]
    total = total[has_weight]
    measurable = centre > _LOWEST_MZ
    return centre[measurable], total[measurable]
