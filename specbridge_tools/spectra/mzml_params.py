"""The cvParams of an mzML element, with those of the groups that it refers to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lxml import etree


class _Parameter(NamedTuple):
    value: str
    unit: str
    name: str


class Parameters:
    """Accession -> value, unit and name; of a repeated accession the first. Empty for a missing element (None)."""

    def __init__(
        self, element: etree._Element | None = None, groups: Mapping[str | None, Parameters] | None = None
    ) -> None:
        self._parameters: dict[str | None, _Parameter] = {}
        if element is None:
            return
        for child in element.iterfind("{*}cvParam"):
            value = _Parameter(child.get("value") or "", child.get("unitAccession") or "", child.get("name") or "")
            self._parameters.setdefault(child.get("accession"), value)
        for child in element.iterfind("{*}referenceableParamGroupRef"):
            if group := (groups or {}).get(child.get("ref")):
                self._parameters = {**group._parameters, **self._parameters}

    def __contains__(self, accession: str) -> bool:
        return accession in self._parameters

    def value(self, accession: str) -> str | None:
        """The value, or None where it is missing or empty."""
        parameter = self._parameters.get(accession)
        return parameter.value.strip() or None if parameter else None

    def first(self, accessions: Iterable[str]) -> str | None:
        """The value of the first of several accessions that has one, or None."""
        return next(filter(None, map(self.value, accessions)), None)

    def unit(self, accession: str) -> str:
        """The accession of the value's unit, or an empty text."""
        parameter = self._parameters.get(accession)
        return parameter.unit if parameter else ""

    def names(self) -> str:
        """The names of all parameters, for messages."""
        return ", ".join(parameter.name for parameter in self._parameters.values() if parameter.name)
