"""Collision energies as the field writes them -> eV."""

from __future__ import annotations

import functools
import re
import statistics

from specbridge_tools.spectra.spectrum import Spectrum

# Words that say nothing about the value. Any other word makes the text unclear.
_NEUTRAL_WORDS = frozenset(
    (
        *("and", "or", "to", "with", "hcd", "cid", "ce", "collision", "collisional", "energy", "energies", "range"),
        *("ramp", "ramped", "stepped", "step", "steps", "average", "mean", "lab", "normalized", "normalised", "units"),
        *("ft-ms", "it-ms", "ii", "iii"),
    )
)
_TOKEN = re.compile(r"(\d+(?:\.\d+)?)|(electronvolts?|ev|volts?|v|nce|%|nominal)(?![a-z])|([a-z]+(?:-[a-z]+)*)|.")
_DECIMAL_COMMA = re.compile(r"(?<![\d,.])(\d+),(\d)(?=\s*-\s*\d+\.\d)")
# Thermo's instruments, which take a normalised energy where no unit is given (Orbitraps and linear ion traps).
_NORMALISED = re.compile(
    r"itft|qft|\bft\b|orbitrap|exactive|exploris|fusion|lumos|astral|ltq|velos", re.IGNORECASE | re.ASCII
)
_INSTRUMENT_FIELDS = ("instrument_type", "instrument", "source_instrument")
_CHARGE_FACTORS = {0: 1.0, 1: 1.0, 2: 0.9, 3: 0.85, 4: 0.8}
_FACTOR_OF_MORE_CHARGES = 0.75
_LARGEST_EV = 1000.0


def collision_energy_ev(spectrum: Spectrum) -> float | None:
    """Laboratory-frame collision energy in eV from metadata `collision_energy`; None where it is not clear.

    eV and V count as they are. NCE, % and `nominal` are normalised energies: eV = NCE * precursor m/z / 500 * factor,
    with a factor of 1, 0.9, 0.85, 0.8, 0.75 for charge 1, 2, 3, 4 and more (Thermo, Product Support Bulletin 104).
    A bare number is a normalised energy where the instrument is an Orbitrap or a linear ion trap, else eV. Of ramps,
    steps and lists it is the mean. Texts with unknown words, without a number, or above 1000 eV are not clear.
    """
    value, unit = parse_energy(spectrum.metadata.get("collision_energy", ""))
    if value is None:
        return None
    if unit == "":
        instrument = " ".join(spectrum.metadata.get(field, "") for field in _INSTRUMENT_FIELDS)
        unit = "NCE" if _NORMALISED.search(instrument) else "eV"
    if unit == "NCE":
        factor = _CHARGE_FACTORS.get(spectrum.charge_size, _FACTOR_OF_MORE_CHARGES)
        value *= spectrum.precursor_mz / 500 * factor
    return value if value <= _LARGEST_EV else None


@functools.lru_cache(maxsize=4096)
def parse_energy(text: str) -> tuple[float | None, str]:
    """(mean of the values or None, unit): `eV`, `NCE`, or empty where the text has none.

    Where normalised and absolute values stand side by side (`NCE=20% 30eV`) the absolute ones count.
    """
    text = _DECIMAL_COMMA.sub(r"\1.\2", text.lower().replace("–", "-"))
    values: list[tuple[float, str]] = []
    leading = ""
    for number, unit, word in _TOKEN.findall(text):
        if number:
            values.append((float(number), ""))
        elif unit:
            unit = "eV" if unit[0] in "ev" else "NCE"
            # a unit counts for the numbers before it that have none yet, or precedes all: `NCE=20`
            leading = leading if values else unit
            values = [(value, own_unit or unit) for value, own_unit in values]
        elif word and word not in _NEUTRAL_WORDS:
            return None, ""
    values = [(value, own_unit or leading) for value, own_unit in values]
    for unit in ("eV", "NCE", ""):
        if of_unit := [value for value, own_unit in values if own_unit == unit]:
            return statistics.fmean(of_unit), unit
    return None, ""
