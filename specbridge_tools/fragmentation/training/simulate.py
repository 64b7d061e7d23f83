"""Spectra that a ranker's forward model expects of molecules that were never measured."""

import dataclasses
import functools

import numpy as np

from specbridge_tools.fragmentation.network.batch import join
from specbridge_tools.fragmentation.network.numpy_network import encode, ion_logits
from specbridge_tools.fragmentation.peaks.ions import SHIFTS
from specbridge_tools.fragmentation.peaks.prepare import PRECURSOR_COLUMN, PRECURSOR_SCALE, Peaks
from specbridge_tools.molecules.adducts import parse_adduct
from specbridge_tools.spectra.spectrum import Spectrum

_MOST_IONS = 400
_MERGED = 0.001  # Da: ions closer than this are one peak
_LOWEST_MZ = 30.0


@dataclasses.dataclass(frozen=True)
class Noise:
    """How far a simulated spectrum is from what is expected.

    intensity    standard deviation of the natural logarithm of the square root of an intensity
    missing      share of the expected peaks that are left out
    foreign      highest share of the peaks that come from elsewhere
    mz_ppm       standard deviation of m/z
    """

    intensity: float = 1.0
    missing: float = 0.3
    foreign: float = 0.5
    mz_ppm: float = 3.0


@dataclasses.dataclass(frozen=True, eq=False)
class Template:
    """What a measured spectrum lends to a simulated one: its `Peaks` (kind of ion, context, number) and metadata."""

    peaks: Peaks
    metadata: dict


def simulate(ranker, smiles, exact_mass, template, foreign_mz, random, *, noise=None, name=""):
    """A `Spectrum` of a molecule made as `template` was, or None where no peak is left.

    exact_mass  Da, of the neutral molecule
    foreign_mz  (k,) m/z from which peaks that the molecule does not explain are drawn
    random      `numpy.random.Generator`

    The first network of the ranker puts probabilities on ions; they are taken as square roots of intensities. Raises
    `DataError` where the SMILES cannot be cut.
    """
    noise = noise or Noise()
    peaks, kind = template.peaks, template.peaks.kind
    adduct = parse_adduct(kind.adduct)
    precursor_mz = adduct.precursor_mz(exact_mass)
    mz, root = expected_peaks(ranker, smiles, peaks, precursor_mz)
    root = root * np.exp(noise.intensity * random.standard_normal(len(root)))
    root[random.random(len(root)) < noise.missing] = 0
    n_own = max(1, int(len(peaks.mz) * (1 - noise.foreign * random.random())))
    highest = np.argsort(-root, kind="stable")[:n_own]
    highest = highest[root[highest] > 0]
    if not len(highest):
        return None
    mz, intensity = mz[highest], (root[highest] / root[highest[0]]) ** 2
    others = random.choice(foreign_mz, len(peaks.mz) - n_own)
    others = others[others < precursor_mz - 1]
    low = np.minimum(0.9, 0.1 * np.exp(1.2 * random.standard_normal(len(others)) - 1.5))
    mz, intensity = np.append(mz, others), np.append(intensity, low)
    mz = mz * (1 + 1e-6 * noise.mz_ppm * random.standard_normal(len(mz)))
    order = np.argsort(mz)
    order = order[intensity[order] > 1e-5]
    return Spectrum(
        name,
        float(precursor_mz),
        mz[order].round(5),
        intensity[order].astype(np.float32),
        charge=adduct.charge,
        polarity=kind.polarity,
        adduct=kind.adduct,
        metadata=template.metadata | {"smiles": smiles},
    )


def expected_peaks(ranker, smiles, peaks, precursor_mz):
    """(m/z, square roots of expected intensity, both (k,)) of a molecule under the conditions of `peaks`."""
    batch, encoded = _encoded(ranker, smiles)
    context = peaks.context.copy()
    context[PRECURSOR_COLUMN] = precursor_mz / PRECURSOR_SCALE
    logits = ion_logits(ranker.networks[0], batch, encoded, context)  # (F, shifts)
    possible = batch.hydrogens[:, None] + SHIFTS >= 0
    mz, all_logits = [], []
    for carrier in range(len(peaks.kind.carriers())):
        of_carrier = batch.masses[:, None] + peaks.kind.mz(0.0, SHIFTS, carrier)
        mz.append(of_carrier[possible])
        shift = ranker.networks[0]["metal"][carrier] if peaks.kind.metal_mass else 0.0
        all_logits.append(logits[possible] + shift)
    return _merged(np.concatenate(mz), np.concatenate(all_logits))


@functools.lru_cache(maxsize=4)
def _encoded(ranker, smiles):
    """The molecule cut, and what does not depend on the spectrum; spectra of one molecule follow one another."""
    batch = join([ranker.candidate(smiles)])
    return batch, encode(ranker.networks[0], batch)


def _merged(mz, logits):
    """The likeliest ions with those of one m/z taken together."""
    likeliest = np.argsort(-logits, kind="stable")[:_MOST_IONS]
    likeliest = likeliest[np.argsort(mz[likeliest], kind="stable")]
    mz, weight = mz[likeliest], np.exp(logits[likeliest] - logits.max())
    group = np.append(0, np.cumsum(np.diff(mz) > _MERGED))
    total = np.bincount(group, weight)
    centre = np.bincount(group, weight * mz) / total
    kept = centre > _LOWEST_MZ
    return centre[kept], total[kept]
