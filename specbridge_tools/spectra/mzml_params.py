"""The cvParams of an mzML element, with those of the groups that it refers to."""


class Parameters:
    """Accession -> value, unit and name; of a repeated accession the first. Empty for a missing element (None)."""

    def __init__(self, element=None, groups=None):
        self._told = {}
        if element is None:
            return
        for child in element.iterfind("{*}cvParam"):
            told = (child.get("value") or "", child.get("unitAccession") or "", child.get("name") or "")
            self._told.setdefault(child.get("accession"), told)
        for child in element.iterfind("{*}referenceableParamGroupRef"):
            if group := (groups or {}).get(child.get("ref")):
                self._told = {**group._told, **self._told}

    def __contains__(self, accession):
        return accession in self._told

    def value(self, accession):
        """The value, or None where it is missing or empty."""
        return self._told.get(accession, ("",))[0].strip() or None

    def first(self, accessions):
        """The value of the first of several accessions that has one, or None."""
        return next(filter(None, map(self.value, accessions)), None)

    def unit(self, accession):
        """The accession of the value's unit, or an empty text."""
        return self._told.get(accession, ("", ""))[1]

    def names(self):
        """The names of all parameters, for messages."""
        return ", ".join(name for _, _, name in self._told.values() if name)
