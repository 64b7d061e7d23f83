"""The confidence levels of `hits.level` in words."""

from __future__ import annotations

from specbridge_tools.hits.level import FORMULA, LIBRARY_MATCH, MASS, TENTATIVE

LEVEL_MEANINGS = {
    LIBRARY_MATCH: "library match",
    TENTATIVE: "tentative candidate",
    FORMULA: "formula",
    MASS: "mass of interest",
}
