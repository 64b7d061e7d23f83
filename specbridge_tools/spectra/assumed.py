"""What the user says of a whole file, where its records do not say: `--polarity` and `--adducts`.

A record that says something else is rejected, as one whose own statements contradict each other.
"""

from __future__ import annotations

import dataclasses

from specbridge_tools.molecules.adducts import parse_adduct
from specbridge_tools.records import Rejection
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable, parse_charge, parse_polarity
from specbridge_tools.spectra.ion import Ion, ion_of
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.spectrum import Spectrum

_WORDS = {1: "positive", -1: "negative", 0: "unknown"}


def assumed_ion(
    charge_text: str, adduct_text: str, mode_text: str, *, has_sign: bool, reading: Reading
) -> tuple[Ion, tuple[str, ...]]:
    """`ion_of` the three texts and of what `reading` says of the whole file; and the adducts to try where it has none.

    The polarity of the file counts as the ion mode of a record without one. Of the file's adducts those are tried that
    the record's charge and polarity allow; a single one is the record's own.

    Raises:
        Unusable: As `ion_of`; or what the record says is not what is said of the file.
    """
    if reading.polarity and not parse_polarity(mode_text):
        mode_text = _WORDS[reading.polarity]
    ion = ion_of(charge_text, adduct_text, mode_text, has_sign=has_sign, repair=reading.repair)
    if reading.polarity not in (0, ion.polarity):
        detail = f"polarity {_WORDS[ion.polarity]}, --polarity {_WORDS[reading.polarity]}"
        raise Unusable(reasons.CONTRADICTORY_CHARGE, detail)
    if not reading.adducts or ion.adduct in reading.adducts:
        return ion, ()
    listed = ", ".join(reading.adducts)
    if ion.adduct:
        raise Unusable(reasons.CONTRADICTORY_CHARGE, f"adduct {ion.adduct}, --adducts {listed}")
    size = 0 if ion.repaired.startswith("charge") else abs(parse_charge(charge_text).value)
    known = [parse_adduct(name) for name in reading.adducts]
    allowed = [one for one in known if one.charge * ion.polarity >= 0 and size in (0, abs(one.charge))]
    if not allowed:
        detail = f"charge {charge_text or '-'}, polarity {_WORDS[ion.polarity]}, --adducts {listed}"
        raise Unusable(reasons.CONTRADICTORY_CHARGE, detail)
    charges = {one.charge for one in allowed}
    signs = {1 if charge > 0 else -1 for charge in charges}
    charge = charges.pop() if len(charges) == 1 else ion.charge
    polarity = signs.pop() if len(signs) == 1 else ion.polarity
    names = tuple(one.name for one in allowed)
    return Ion(names[0] if len(names) == 1 else None, charge, polarity, ion.repaired), names if len(names) > 1 else ()


def with_assumed(record: Spectrum | Rejection, reading: Reading, source: str) -> Spectrum | Rejection:
    """A record that was read before, such as a row of embeddings, with what `reading` says of the whole file."""
    if isinstance(record, Rejection) or not (reading.polarity or reading.adducts):
        return record
    charge = f"{abs(record.charge)}{'+' if record.charge > 0 else '-'}" if record.charge else ""
    mode = _WORDS[record.polarity] if record.polarity else ""
    try:
        ion, adducts = assumed_ion(charge, record.adduct or "", mode, has_sign=True, reading=reading)
    except Unusable as error:
        return Rejection(error.reason, record.id, record.record, record.line, source, error.detail)
    return dataclasses.replace(record, adduct=ion.adduct, charge=ion.charge, polarity=ion.polarity, adducts=adducts)
