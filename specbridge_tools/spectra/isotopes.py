"""The isotope peaks of a precursor in MS1, which some files have beside the MS2 spectrum."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.records import Rejection
from specbridge_tools.spectra.spectrum import Spectrum

WITH_ISOTOPES = "with isotope peaks"
"""Note of such spectra, as the closing line counts them."""
_BELOW, _ABOVE = 0.05, 4.5  # m/z around the precursor


def with_isotopes(record: Spectrum | Rejection, ms1: NDArray[np.float64] | None) -> Spectrum | Rejection:
    """A record with those of the MS1 peaks (n, 2) that may be of its precursor; as it is where there are none."""
    if ms1 is None or isinstance(record, Rejection):
        return record
    offset = ms1[:, 0] - record.precursor_mz
    near = ms1[(offset > -_BELOW) & (offset < _ABOVE) & np.isfinite(ms1[:, 1]) & (ms1[:, 1] > 0)]
    if len(near) < 2:
        return record
    near = near[np.argsort(near[:, 0], kind="stable")]
    return dataclasses.replace(record, isotopes=near, notes=(*record.notes, WITH_ISOTOPES))
