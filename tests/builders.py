"""What tests of several rooms are made of."""

import types
from pathlib import Path

import numpy as np

from specbridge_tools.spectra.spectrum import Spectrum

EXAMPLES = Path(__file__).parents[1] / "examples"


def first_examples(n):
    """The first n spectra of the examples, as MGF."""
    records = (EXAMPLES / "spectra.mgf").read_text(encoding="utf-8").split("END IONS\n")
    return "END IONS\n".join([*records[:n], ""])


def spectrum(
    peaks=((50.0, 1.0),),
    precursor_mz=152.0706,
    adduct="[M+H]+",
    *,
    id="s",
    charge=0,
    polarity=0,
    record=0,
    line=0,
    **metadata,
):
    """A `Spectrum` of peaks (m/z, intensity) in any order, each with its metadata."""
    mz, intensity = zip(*sorted(peaks), strict=True) if len(peaks) else ((), ())
    return Spectrum(
        id,
        precursor_mz,
        np.array(mz, np.float64),
        np.array(intensity, np.float32),
        charge=charge,
        polarity=polarity,
        adduct=adduct,
        record=record,
        line=line,
        metadata=types.MappingProxyType(metadata),
    )
