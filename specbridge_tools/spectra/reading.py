"""How a file of spectra is read: its format, and the rules for what it says."""

from __future__ import annotations

import dataclasses

from specbridge_tools.errors import UsageError
from specbridge_tools.molecules.adducts import parse_adduct
from specbridge_tools.spectra.limits import MAX_FIELDS, MAX_PEAKS, MAX_RECORD_SIZE


@dataclasses.dataclass(frozen=True)
class Reading:
    """How a file of spectra is read.

    Attributes:
        input_format: One of `spectra.reader.FORMATS`; auto goes by the content, never by the name.
        repair: Whether two that agree of charge, polarity and adduct overrule the third; else the record is rejected.
        widest_window: m/z; spectra of wider isolation windows (DIA) are rejected, since their precursor is not known.
        msn: Whether spectra of MS3 and deeper count, with their MS2 precursor; else they are skipped.
        derive_precursor: Whether a precursor m/z that is missing follows from the adduct and the structure in the
            metadata; for spectra of known molecules, never for queries.
        polarity: +1 or -1 of all records that state none; those that state the other one are rejected. 0 for none.
        adducts: To be tried for records that state none, canonical names; those that state another are rejected. Empty
            for none, and then the usual ones are tried.
        isotopes: Whether spectra take along the peaks of their precursor in MS1, where the file has them.
        max_peaks: Of a record; one with more is rejected, as by the two that follow.
        max_fields: Of a record.
        max_record_size: Bytes of a record of text; an element of XML may have four times as many.
    """

    input_format: str = "auto"
    repair: bool = False
    widest_window: float = 10.0
    msn: bool = False
    derive_precursor: bool = False
    polarity: int = 0
    adducts: tuple[str, ...] = ()
    isotopes: bool = False
    max_peaks: int = MAX_PEAKS
    max_fields: int = MAX_FIELDS
    max_record_size: int = MAX_RECORD_SIZE

    def __post_init__(self) -> None:
        if not self.widest_window > 0:
            raise UsageError(f"no width of an isolation window: {self.widest_window!r}", advice="give m/z above 0")
        if self.polarity not in (-1, 0, 1):
            raise UsageError(f"no polarity: {self.polarity!r}", advice="give 1, -1, or 0 where it is not known")
        known = [parse_adduct(text) for text in self.adducts]
        object.__setattr__(self, "adducts", tuple(dict.fromkeys(adduct.name for adduct in known)))
        if known and not any(adduct.charge * self.polarity >= 0 for adduct in known):
            raise UsageError(
                "none of the adducts has the polarity", advice="give adducts of this polarity, or no polarity"
            )

    def header(self) -> dict[str, object]:
        """The plain values for the header of an output: the format, and every rule that is not the default."""
        default = dataclasses.asdict(DEFAULT_READING)
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if name == "input_format" or value != default[name]}


DEFAULT_READING = Reading()
