"""How a file of spectra is read: its format, and the rules for what it says."""

from __future__ import annotations

import dataclasses

from specbridge_tools.errors import UsageError


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
    """

    input_format: str = "auto"
    repair: bool = False
    widest_window: float = 10.0
    msn: bool = False
    derive_precursor: bool = False

    def __post_init__(self) -> None:
        if not self.widest_window > 0:
            raise UsageError(f"no width of an isolation window: {self.widest_window!r}", advice="give m/z above 0")

    def header(self) -> dict[str, object]:
        """The plain values for the header of an output: the format, and every rule that is not the default."""
        default = dataclasses.asdict(DEFAULT_READING)
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if name == "input_format" or value != default[name]}


DEFAULT_READING = Reading()
