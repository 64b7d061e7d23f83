"""The cvParams of an mzML element, with those of the groups that it refers to."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lxml import etree

_NAMED = 50


class _Parameter(NamedTuple):
    value: str
    unit: str
    name: str


class Parameters:
    """Accession -> value, unit and name; of a repeated accession the first. Empty for a missing element (None)."""

    def __init__(
        self, element: etree._Element | None = None, groups: Mapping[str | None, Parameters] | None = None
    ) -> None:
        self._own: dict[str | None, _Parameter] = {}
        # looked into, not copied: a group may be large, and many spectra refer to it
        self._groups: list[dict[str | None, _Parameter]] = []
        if element is None:
            return
        for child in element.iterfind("{*}cvParam"):
            value = _Parameter(child.get("value") or "", child.get("unitAccession") or "", child.get("name") or "")
            self._own.setdefault(child.get("accession"), value)
        references = dict.fromkeys(child.get("ref") for child in element.iterfind("{*}referenceableParamGroupRef"))
        self._groups = [group._own for name in references if (group := (groups or {}).get(name)) is not None]

    def __len__(self) -> int:
        return len(self._own)

    def __contains__(self, accession: str) -> bool:
        return self._get(accession) is not None

    def _get(self, accession: str) -> _Parameter | None:
        found = self._own.get(accession)
        return found or next((group[accession] for group in self._groups if accession in group), None)

    def value(self, accession: str) -> str | None:
        """The value, or None where it is missing or empty."""
        parameter = self._get(accession)
        return parameter.value.strip() or None if parameter else None

    def first(self, accessions: Iterable[str]) -> str | None:
        """The value of the first of several accessions that has one, or None."""
        return next(filter(None, map(self.value, accessions)), None)

    def unit(self, accession: str) -> str:
        """The accession of the value's unit, or an empty text."""
        parameter = self._get(accession)
        return parameter.unit if parameter else ""

    def names(self) -> str:
        """The names of the first parameters, for messages."""
        together = dict(itertools.chain.from_iterable(each.items() for each in (*reversed(self._groups), self._own)))
        return ", ".join(parameter.name for parameter in itertools.islice(together.values(), _NAMED) if parameter.name)
