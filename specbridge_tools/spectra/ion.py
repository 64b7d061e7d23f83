"""What charge, polarity and adduct together say of an ion."""

from __future__ import annotations

import functools
from typing import NamedTuple

from specbridge_tools.molecules.adducts import Adduct
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable, parse_charge, parse_ion, parse_polarity


class Ion(NamedTuple):
    """The canonical name of the adduct or None, signed charge or 0, polarity +1, -1 or 0.

    `repaired` says which statement was overruled by the two others: its name, and what it was; '' for none.
    """

    adduct: str | None
    charge: int
    polarity: int
    repaired: str = ""


@functools.lru_cache(maxsize=4096)
def ion_of(charge_text: str, adduct_text: str, mode_text: str, *, has_sign: bool, repair: bool) -> Ion:
    """The ion that the three texts agree on.

    Args:
        charge_text: May be ''.
        adduct_text: Likewise.
        mode_text: Likewise.
        has_sign: Whether a + of the charge means something.
        repair: Whether two of the three that agree overrule the third.

    Raises:
        Unusable: One of them is not understood, or they contradict each other.
    """
    charge, charge_sign = parse_charge(charge_text)
    charge_sign = charge_sign if has_sign else min(charge_sign, 0)
    mode = parse_polarity(mode_text)
    adduct, adduct_sign = parse_ion(adduct_text, mode or charge_sign)
    texts = {"charge": charge_text, "polarity": mode_text, "adduct": adduct_text}
    signs = {"charge": charge_sign, "polarity": mode, "adduct": adduct_sign}
    known = {sign for sign in signs.values() if sign}
    if len(known) > 1 or (adduct and charge and abs(charge) != abs(adduct.charge)):
        ion = _of_two(signs, charge, adduct, texts) if repair else None
        if ion is None:
            detail = ", ".join(f"{name} {text or '-'}" for name, text in texts.items())
            raise Unusable(reasons.CONTRADICTORY_CHARGE, detail)
        return ion
    polarity = known.pop() if known else 0
    if adduct:
        return Ion(adduct.name, adduct.charge, polarity)
    return Ion(None, abs(charge) * polarity, polarity)


def _of_two(signs: dict[str, int], charge: int, adduct: Adduct | None, texts: dict[str, str]) -> Ion | None:
    """The ion of the two statements that agree, None where no two of three do."""
    total = sum(signs.values())
    if not all(signs.values()) or abs(total) != 1:
        return None  # one says nothing, or all have one sign and the sizes differ
    odd = next(name for name, sign in signs.items() if sign == -total)
    if odd == "polarity" and adduct and charge and abs(charge) != abs(adduct.charge):
        return None
    repaired = f"{odd} was {texts[odd]}"
    if odd != "adduct" and adduct:
        return Ion(adduct.name, adduct.charge, total, repaired)
    return Ion(None, 0 if odd == "charge" else abs(charge) * total, total, repaired)
