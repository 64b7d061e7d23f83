"""InChI and InChIKey of candidates, which the hits do not hold."""

from __future__ import annotations

import functools
from typing import NamedTuple

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.chemistry import inchi_and_key

_KEPT = 1 << 14


class Identifiers(NamedTuple):
    """Standard InChI and InChIKey, without stereo as the SMILES of hits are; '' for none."""

    inchi: str = ""
    inchikey: str = ""


@functools.lru_cache(maxsize=_KEPT)
def identifiers(smiles: str) -> Identifiers:
    """Those of a SMILES; none where it is '' or cannot be read, as a table from elsewhere may have it."""
    try:
        return Identifiers(*inchi_and_key(smiles)) if smiles else Identifiers()
    except DataError:
        return Identifiers()
