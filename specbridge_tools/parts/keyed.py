"""The molecule that a record is of, as a split groups it."""

from __future__ import annotations

import dataclasses

from specbridge_tools.records import Noted


@dataclasses.dataclass(frozen=True)
class Keyed(Noted):
    """Which molecule a record is of.

    Attributes:
        id: Of the record.
        inchikey14: First block of the InChIKey.
        smiles: Canonical; '' where the structure was not asked for.
        notes: Of the record.
    """

    id: str
    inchikey14: str
    smiles: str
    notes: tuple[str, ...] = ()
