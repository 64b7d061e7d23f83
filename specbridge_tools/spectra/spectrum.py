"""The spectrum as it travels through the package."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.records import Noted

REPAIRED = "repaired"
DERIVED = "given a precursor by adduct and structure"
"""Notes of spectra, as the closing line counts them."""

_NO_PEAKS = np.zeros((0, 2))
USI_PREFIX = "mzspec:"
"""How every Universal Spectrum Identifier begins (Deutsch et al., Nat. Methods 18, 768, 2021)."""
_USI_FIELDS = ("usi", "universal_spectrum_identifier", "spectrum_usi")


def usi_of(fields: Mapping[str, str]) -> str:
    """The Universal Spectrum Identifier among the fields of a record, '' for none."""
    texts = (fields.get(name, "").strip() for name in _USI_FIELDS)
    return next((text for text in texts if text.lower().startswith(USI_PREFIX)), "")


@dataclasses.dataclass(frozen=True, eq=False)
class Spectrum(Noted):
    """One MS/MS spectrum, checked once, by the reader.

    Attributes:
        id: The name that outputs use: the first of TITLE (mzML: id; mzXML: scan number), SPECTRUMID, DB#, ACCESSION,
            IDENTIFIER, FEATURE_ID, NAME that the record has, else `record=N`.
        precursor_mz: m/z, > 0.
        mz: (n,), ascending, > 0, n >= 1.
        intensity: (n,), > 0, arbitrary unit.
        charge: Signed charge, 0 when it or its sign is unknown.
        polarity: +1, -1, or 0 when unknown.
        adduct: Canonical name (`molecules.adducts`), or None when the file has none.
        record: Its number in the file, 1-based.
        line: Its first line in the file, 1-based; 0 where the format has no lines.
        metadata: Every other field as in the file, values stripped; keys in lower case with `_` for all but letters
            and digits, and one name for what formats spell differently (`spectra.fields`): name, smiles, inchi,
            inchikey, formula, ionmode, instrument_type, collision_energy, mslevel, scans, license, ...;
            precursor_intensity is the second number of PEPMASS; charge is one whose sign is not known, or several;
            selected_ion_mz is what stood in the file for precursor_mz, outside of the isolation window, or the own
            precursor of a spectrum of MS3 or deeper; repaired is what charge, polarity or adduct was.
        adducts: Canonical names to try where it has no adduct, at least two, as the reading of the file says; empty for
            the usual ones.
        isotopes: (k, 2) m/z, ascending, and intensity of the MS1 peaks around the precursor, where they were asked for
            and the file has some; else (0, 2).
        notes: What the reader did about it that is to be counted: REPAIRED, DERIVED.
    """

    id: str
    precursor_mz: float
    mz: NDArray[np.float64]
    intensity: NDArray[np.float32]
    charge: int = 0
    polarity: int = 0
    adduct: str | None = None
    record: int = 0
    line: int = 0
    metadata: Mapping[str, str] = dataclasses.field(default_factory=lambda: types.MappingProxyType({}))
    notes: tuple[str, ...] = ()
    adducts: tuple[str, ...] = ()
    isotopes: NDArray[np.float64] = dataclasses.field(default_factory=lambda: _NO_PEAKS)

    @property
    def repaired(self) -> str:
        """Which statement was overruled, such as `polarity was positive`; '' for none."""
        return self.metadata.get("repaired", "") if REPAIRED in self.notes else ""

    @property
    def usi(self) -> str:
        """Its Universal Spectrum Identifier, '' for none."""
        return usi_of(self.metadata)

    @property
    def n_peaks(self) -> int:
        return len(self.mz)

    @property
    def charge_size(self) -> int:
        """The charge without its sign, 0 when unknown."""
        text = self.metadata.get("charge", "")
        return abs(self.charge) or (int(text) if text.isascii() and text.isdecimal() else 0)
