"""How a file of spectra is read: its format, and the rules for what it says."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Reading:
    """How a file of spectra is read.

    Attributes:
        input_format: One of `spectra.reader.FORMATS`; auto goes by the content, never by the name.
    """

    input_format: str = "auto"

    def header(self) -> dict[str, object]:
        """The plain values for the header of an output: the format, and every rule that is not the default."""
        default = dataclasses.asdict(DEFAULT_READING)
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if name == "input_format" or value != default[name]}


DEFAULT_READING = Reading()
