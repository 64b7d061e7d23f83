"""MGF line by line: every case of the format, and every way in which files break it."""

from __future__ import annotations

import collections
import io
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.records import Rejection
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.build import Place, spectrum_or_rejection, stray_text
from specbridge_tools.spectra.fields import Several, Unusable, add_field
from specbridge_tools.spectra.isotopes import with_isotopes
from specbridge_tools.spectra.ms_level import skip_reason
from specbridge_tools.spectra.peaks import number, peak_array
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.spectra.text import decoded

_COMMENT = (b"#", b";", b"!", b"/")
_EDGE = re.compile(rb"(BEGIN|END)[ \t]+IONS", re.IGNORECASE)
_NUMERIC_START = re.compile(r"[+-]?[\d.][\d.eE+-]*(?:\s|$)|[+-]?(?:nan|inf(?:inity)?)(?:\s+(?!=)|$)", re.IGNORECASE)
_FEATURE = "feature_id"
_NOT_DEFAULTS = ("title", "pepmass")


class _Open:
    """A record between BEGIN IONS and END IONS; `problem` is the first that its lines had, `is_full` at a limit."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.size = 0
        self.n_fields = 0
        self.is_full = False
        self.fields: dict[str, str] = {}
        self.several = Several()
        self.peaks: list[tuple[float, float]] = []
        self.problem: Unusable | None = None

    def fill(self, reason: str, most: int) -> None:
        """Reject the record: it holds more than `most`; nothing more is taken."""
        self.problem, self.is_full, self.peaks = Unusable(reason, f"more than {most:,}"), True, []


class LineParser:
    """Parses runs of whole lines; knows the number of the last record and the file's defaults."""

    def __init__(self, source: str, reading: Reading, skipped: collections.Counter[str]) -> None:
        self._source = source
        self._reading = reading
        self._skipped = skipped
        self._n_records = 0
        self._defaults: dict[str, str] = {}
        self._ms1: tuple[str, NDArray[np.float64]] | None = None

    def finish(
        self,
        fields: dict[str, str],
        mz: NDArray[np.float64],
        intensity: NDArray[np.float64],
        line: int,
        *,
        sound: bool,
    ) -> Spectrum | Rejection | None:
        """A whole record -> `Spectrum`, `Rejection`, or None when it was skipped; `line` is that of BEGIN IONS."""
        self._n_records += 1
        place = Place(self._source, self._n_records, line)
        if self._defaults:
            fields = {**self._defaults, **fields}
        if reason := skip_reason(fields.get("mslevel"), self._reading):
            self._skipped[reason] += 1
            feature = fields.get(_FEATURE, "")
            if self._reading.isotopes and reason == reasons.SKIPPED_MS1 and feature:
                self._ms1 = feature, np.stack([mz, intensity], axis=1)
            return None
        # as MZmine exports for SIRIUS: a feature's isotope pattern, then its MS2 spectra
        ms1 = self._ms1[1] if self._ms1 and self._ms1[0] == fields.get(_FEATURE) else None
        return with_isotopes(spectrum_or_rejection(fields, mz, intensity, place, self._reading, sound=sound), ms1)

    def pass_over(self, data: bytes, line: int) -> None:
        """Count the record that ends a stretch, or the file, without reading more than is needed."""
        # isotope peaks that are passed over may be those of a record that is not
        if (
            not self._reading.isotopes
            and data.lstrip(b"\n").startswith(b"BEGIN IONS\n")
            and data.upper().count(b"IONS") <= 2
        ):
            self._n_records += 1
            return
        skipped, self._skipped = self._skipped, collections.Counter()
        collections.deque(self.parse(data, line), maxlen=0)
        self._skipped = skipped

    def parse(
        self, data: bytes, line: int, *, unended: str = reasons.RECORD_NOT_ENDED
    ) -> Iterator[Spectrum | Rejection]:
        """Yield what is in `data`, which begins at `line`; `unended` is the reason for a record without its end."""
        record: _Open | None = None
        stray: tuple[bytes, int] | None = None
        for number_of_line, raw in enumerate(io.BytesIO(data), line):
            text = raw.strip()
            if not text or text.startswith(_COMMENT):
                continue
            edge = _EDGE.fullmatch(text)
            begins = edge is not None and edge[1].upper() == b"BEGIN"
            if record is None and edge is None and self._is_default(text):
                continue
            if stray and begins:
                yield stray_text(*stray, self._source)
                stray = None
            if begins:
                if record:
                    yield self._reject(record, Unusable(reasons.RECORD_NOT_ENDED, "BEGIN IONS again"))
                record = _Open(number_of_line)
            elif record is None:
                stray = stray or (text, number_of_line)
            elif edge:
                result = self._close(record)
                record = None
                if result is not None:
                    yield result
            else:
                self._line(record, text, number_of_line)
        if record:
            yield self._reject(record, Unusable(unended, "no END IONS"))
        if stray:
            yield stray_text(*stray, self._source)

    def _is_default(self, text: bytes) -> bool:
        """Take KEY=VALUE before the first record as a default; False for any other line."""
        if self._n_records or b"=" not in text or b"\0" in text or len(self._defaults) >= self._reading.max_fields:
            return False
        key, _, value = decoded(text).partition("=")
        fields: dict[str, str] = {}
        add_field(fields, key, value)
        self._defaults.update((name, value) for name, value in fields.items() if name not in _NOT_DEFAULTS)
        return True

    def _line(self, record: _Open, raw: bytes, line: int) -> None:
        record.size += len(raw)
        if record.size > self._reading.max_record_size:
            record.fill(reasons.RECORD_TOO_LONG, self._reading.max_record_size)
        if record.is_full:
            return
        text = decoded(raw)
        if "\0" in text:
            record.problem = record.problem or Unusable(reasons.NUL_BYTES, f"line {line}")
        elif "=" in text and not _NUMERIC_START.match(text):
            key, _, value = text.partition("=")
            self._add(record, key, value)
        elif record.problem is None and (columns := text.split(None, 99)):  # white space beyond ASCII leaves none
            if len(record.peaks) == self._reading.max_peaks:
                record.fill(reasons.TOO_MANY_PEAKS, self._reading.max_peaks)
                return
            try:
                record.peaks.append(_peak(columns))
            except Unusable as error:
                record.problem = Unusable(error.reason, f"line {line}: {error.detail}")

    def _add(self, record: _Open, key: str, value: str) -> None:
        record.n_fields += 1
        if record.n_fields > self._reading.max_fields:
            record.fill(reasons.TOO_MANY_FIELDS, self._reading.max_fields)
            return
        try:
            add_field(record.fields, key, value, record.several)
        except Unusable as error:
            record.problem = record.problem or error

    def _close(self, record: _Open) -> Spectrum | Rejection | None:
        record.several.join(record.fields)
        if record.problem:
            return self._reject(record, record.problem)
        peaks = peak_array(record.peaks)
        return self.finish(record.fields, peaks[:, 0], peaks[:, 1], record.line, sound=False)

    def _reject(self, record: _Open, problem: Unusable) -> Rejection:
        record.several.join(record.fields)
        self._n_records += 1
        return Place(self._source, self._n_records, record.line).rejection(problem, {**self._defaults, **record.fields})


def _peak(columns: list[str]) -> tuple[float, float]:
    """`m/z intensity`, and a third column (a charge or an annotation) that is not used."""
    mz = number(columns[0])
    if len(columns) == 1:
        raise Unusable(reasons.UNEQUAL_ARRAYS, f"{columns[0]} without an intensity")
    if len(columns) > 3 and re.fullmatch(r"[\d.eE+-]+", columns[2]):
        raise Unusable(reasons.UNEQUAL_ARRAYS, f"{len(columns)} columns")
    return mz, number(columns[1])
