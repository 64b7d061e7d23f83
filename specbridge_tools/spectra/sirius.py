"""The `.ms` files of SIRIUS: compounds, each with its MS1 and MS2 spectra.

As `JenaMsParser` of SIRIUS 6 reads them, but that peaks without a block are rejected, not taken for MS2. There is no
library in Python.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator

from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.build import Place, spectrum_or_rejection
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.isotopes import with_isotopes
from specbridge_tools.spectra.peaks import number, peak_array
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.spectra.text import ByteStream, decoded
from specbridge_tools.spectra.text_records import RecordFields, TextRecord, numbered_lines, spectra_of

_COMPOUND = re.compile(rb"\s*>\s*compound(?:\s|$)", re.IGNORECASE)
# not every word with ms2 in it: `>ppm-max-ms2` and the like are settings
_BLOCK = re.compile(r"(?:merged)?ms[12](?:merged|peaks|spectrum)?|collision(?:[_-]?energy)?|energy")
_NUMBER = r"[+-]?\s*\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?"
_MASS = re.compile(rf"({_NUMBER})(?:\s*Da)?")
_SECONDS = re.compile(rf"({_NUMBER})\s*s?")
_FIELDS = {
    "compound": "name",
    "parentmass": "precursor_mz",
    "ion": "adduct",
    "ionization": "adduct",
    "ionisation": "adduct",
    "smarts": "smiles",
    "instrumentation": "instrument",
    "rt": "rtinseconds",
    "retention": "rtinseconds",
    "feature-id": "feature_id",
    "featureid": "feature_id",
}
_PROBABILITY = re.compile(r"\([\d.,eE+-]*\)")


class _Block:
    """One spectrum of a compound; `energy` is None for MS1."""

    def __init__(self, line: int, energy: str | None) -> None:
        self.line = line
        self.energy = energy
        self.peaks: list[tuple[float, float]] = []
        self.problem: Unusable | None = None


class _Compound:
    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.problem: Unusable | None = None
        self.blocks: list[_Block] = []


def read_sirius(
    stream: ByteStream,
    source: str,
    reading: Reading,
    skipped: collections.Counter[str],
    record_range: RecordRange | None = None,
) -> Iterator[Spectrum | Rejection]:
    """Yield a `Spectrum` or a `Rejection` for each `>ms2`, `>collision` or `>energy` of a compound, in order.

    All have the compound's fields, wherever in it they stand. A compound without any spectrum is one rejection, as is
    what stands before the first.

    Args:
        stream: The file, unzipped.
        source: The name to show.
        reading: The rules.
        skipped: Counts the MS1 spectra, which are not yielded.
        record_range: Which records are wanted, MS1 spectra counted.
    """

    def build(item: tuple[_Compound, _Block], place: Place) -> Spectrum | Rejection | None:
        return _spectrum(*item, place, reading, skipped)

    return spectra_of(_blocks(stream, source, reading), source, lambda item: item[1].line, build, record_range)


def _blocks(stream: ByteStream, source: str, reading: Reading) -> Iterator[tuple[_Compound, _Block]]:
    for record in _compounds(stream, source, reading):
        compound = _parsed(record, reading)
        if not compound.blocks:
            compound.problem = compound.problem or Unusable(reasons.NO_PEAKS, "no spectrum")
            compound.blocks.append(_Block(record.line, ""))
        for block in compound.blocks:
            yield compound, block


def _compounds(stream: ByteStream, source: str, reading: Reading) -> Iterator[TextRecord]:
    record: TextRecord | None = None
    for line, raw in numbered_lines(stream, source):
        if _COMPOUND.match(raw):
            if record is not None:
                yield record
            record = TextRecord(line, reading)
        elif record is None and (text := raw.strip()) and not text.startswith(b"#"):
            record = TextRecord(line, reading)
            record.note(reasons.TEXT_OUTSIDE_RECORDS, f"{decoded(text[:40])!r} before the first >compound")
        if record is not None:
            record.add(raw)
    if record is not None:
        yield record


def _parsed(record: TextRecord, reading: Reading) -> _Compound:
    compound = _Compound()
    compound.problem = record.problem
    adding = RecordFields(compound.fields, reading)
    block: _Block | None = None
    for line, raw in enumerate(record.lines if record.problem is None else [], record.line):
        text = decoded(raw).strip()
        if not text:
            block = None if block is not None and block.peaks else block
        elif text[0] == ">":
            key, _, value = text[1:].strip().partition(" ")
            key, value = key.lower(), value.strip()
            if _BLOCK.fullmatch(key):
                block = _next_block(compound, block, line, key, value)
                continue
            _add(adding, key, value)
        elif text[0] != "#":
            block = _peak(compound, block, line, text)
    adding.problem = compound.problem or adding.problem
    try:
        adding.finish()
    except Unusable as error:
        compound.problem = error
    if compound.problem is None and "charge" in compound.fields and "adduct" not in compound.fields:
        # a number with a sign by the format: none is a plus
        charge = compound.fields["charge"]
        compound.fields["charge"] = f"{charge}+" if charge.isdecimal() else charge
    return compound


def _next_block(compound: _Compound, block: _Block | None, line: int, key: str, value: str) -> _Block:
    is_ms1 = "ms1" in key
    if block is not None and not block.peaks and block.energy is not None and not is_ms1:
        # `>collision 20` and `>ms2` of one spectrum
        block.energy = block.energy or value
        return block
    following = _Block(line, None if is_ms1 else value)
    compound.blocks.append(following)
    return following


def _peak(compound: _Compound, block: _Block | None, line: int, text: str) -> _Block:
    if block is None:
        block = _Block(line, "")
        block.problem = Unusable(
            reasons.TEXT_OUTSIDE_RECORDS, f"line {line}: {text[:40]!r} is of no >ms2 or >collision"
        )
        compound.blocks.append(block)
    columns = text.partition("#")[0].split()
    if block.problem is None:
        try:
            if len(columns) != 2:
                raise Unusable(reasons.UNEQUAL_ARRAYS, f"{text[:40]!r}")
            block.peaks.append((number(columns[0]), number(columns[1])))
        except Unusable as error:
            block.problem = Unusable(error.reason, f"line {line}: {error.detail}")
    return block


def _add(adding: RecordFields, key: str, value: str) -> None:
    name = _FIELDS.get(key, key)
    if name == "precursor_mz" and (match := _MASS.fullmatch(value)):
        value = match[1].replace(",", ".").replace(" ", "")
    elif name == "rtinseconds":
        match = _SECONDS.fullmatch(value)
        name, value = (name, match[1].replace(",", ".")) if match else (key, value)
    elif name == "adduct":
        value = _ion(value)
    elif key == "formula" and re.search(r"[\s,]", value):
        name = "formulas"
    adding.add(name, value)


def _ion(text: str) -> str:
    """The adduct, without its probability; of several adducts what is sure: `[M+?]+` where their signs agree."""
    ions = [ion.strip() for ion in _PROBABILITY.sub("", text).split(",") if ion.strip()]
    if len(ions) < 2:
        return ions[0] if ions else ""
    signs = {ion[-1] for ion in ions}
    return f"[M+?]{signs.pop()}" if len(signs) == 1 and signs <= {"+", "-"} else ""


def _spectrum(
    compound: _Compound, block: _Block, place: Place, reading: Reading, skipped: collections.Counter[str]
) -> Spectrum | Rejection | None:
    fields = dict(compound.fields)
    problem = compound.problem or block.problem
    if block.energy is None:
        skipped[reasons.SKIPPED_MS1] += 1
        return None
    if len(block.peaks) > reading.max_peaks:
        problem = problem or Unusable(reasons.TOO_MANY_PEAKS, f"more than {reading.max_peaks:,}")
    if problem:
        return place.rejection(problem, fields)
    if block.energy:
        fields["collision_energy"] = block.energy
    peaks = peak_array(block.peaks)
    record = spectrum_or_rejection(fields, peaks[:, 0], peaks[:, 1], place, reading)
    ms1 = next((each for each in compound.blocks if each.energy is None and each.peaks and not each.problem), None)
    return with_isotopes(record, peak_array(ms1.peaks)) if reading.isotopes and ms1 else record
