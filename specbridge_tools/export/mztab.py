"""mzTab-M 2.0.0, the tables of HUPO-PSI for metabolomics (Hoffmann et al., Anal. Chem. 91, 3302, 2019).

Sections stand one behind the other, so all but the first wait in temporary files until the last query is written. A
query is one small molecule (SML) with one feature (SMF); its candidates are the evidence (SME). Nothing is quantified.
What the level of a query does not allow to name (`hits.level`) is null in SML; SME has every candidate listed, and a
column of Universal Spectrum Identifiers where any query has one. Written by hand: no library on PyPI writes this
version.
"""

from __future__ import annotations

import contextlib
import math
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from specbridge_tools.export.identifiers import identifiers
from specbridge_tools.export.mztab_metadata import DATABASE_PREFIX, MEASURES, metadata
from specbridge_tools.export.numbers import decimal
from specbridge_tools.export.result import Candidate, Result
from specbridge_tools.hits.hits import USI_SEPARATOR
from specbridge_tools.hits.level import MASS
from specbridge_tools.temporary import scratch_path
from specbridge_tools.terminal import cell

NULL = "null"
NO_MZ = "no m/z: give the spectra"
NO_ION = "candidate without adduct or mass"
_OF_A_MOLECULE = ("database_identifier", "chemical_formula", "smiles", "inchi", "chemical_name", "uri")
_OPTIONAL = "opt_global_query_id"
USI_COLUMN = "opt_global_cv_MS:1003063_universal_spectrum_identifier"
"""Behind `SME_COLUMNS` where a query has one; named as the specification names optional columns of a term."""
SML_COLUMNS = (
    "SML_ID", "SMF_ID_REFS", *_OF_A_MOLECULE, "theoretical_neutral_mass", "adduct_ions", "reliability",
    "best_id_confidence_measure", "best_id_confidence_value", "abundance_assay[1]", "abundance_study_variable[1]",
    "abundance_variation_study_variable[1]", _OPTIONAL,
)  # fmt: skip
SMF_COLUMNS = (
    "SMF_ID", "SME_ID_REFS", "SME_ID_REF_ambiguity_code", "adduct_ion", "isotopomer", "exp_mass_to_charge", "charge",
    "retention_time_in_seconds", "retention_time_in_seconds_start", "retention_time_in_seconds_end",
    "abundance_assay[1]", _OPTIONAL,
)  # fmt: skip
SME_COLUMNS = (
    "SME_ID", "evidence_input_id", *_OF_A_MOLECULE, "derivatized_form", "adduct_ion", "exp_mass_to_charge", "charge",
    "theoretical_mass_to_charge", "spectra_ref", "identification_method", "ms_level",
    *(f"id_confidence_measure[{i}]" for i, _ in enumerate(MEASURES, start=1)), "rank", _OPTIONAL,
)  # fmt: skip
_EVIDENCE = "SME"
_SECTIONS = (("SMH", "SML", SML_COLUMNS), ("SFH", "SMF", SMF_COLUMNS), ("SEH", _EVIDENCE, SME_COLUMNS))
_ADDUCT = re.compile(r"\[\d*M([+-]\w+)*\]\d*[+-]")  # what the specification allows
_METHOD = f"[, , {MEASURES[0].name}, ]"
_MS2 = "[MS, MS:1000511, ms level, 2]"
_AMBIGUOUS = "1"


@contextlib.contextmanager
def mztab_writer(stream: TextIO, *, identifier: str, location: str | None) -> Iterator[MzTabWriter]:
    """Yield a writer whose file stands in `stream` at the end; after an error nothing is written.

    Args:
        stream: An open text file.
        identifier: Of the file that is written.
        location: URI of the file of spectra; None where it is unknown.
    """
    with contextlib.ExitStack() as stack:
        sections = []
        for _ in _SECTIONS:
            path = stack.enter_context(scratch_path())
            sections.append(stack.enter_context(path.open("x+", encoding="utf-8", newline="\n")))
        writer = MzTabWriter(sections)
        yield writer
        lines = metadata(identifier, location, polarities=writer.polarities, databases=writer.databases)
        stream.writelines(f"MTD\t{name}\t{cell(value)}\n" for name, value in lines)
        for (header, row, columns), section in zip(_SECTIONS, sections, strict=True):
            with_usi = row == _EVIDENCE and writer.has_usi
            stream.write("\n" + "\t".join((header, *columns, *((USI_COLUMN,) if with_usi else ()))) + "\n")
            section.seek(0)
            if row == _EVIDENCE and not with_usi:
                stream.writelines(line.rpartition("\t")[0] + "\n" for line in section)
            else:
                shutil.copyfileobj(section, stream)


class MzTabWriter:
    """Writes the rows of queries to one text file a section.

    Attributes:
        polarities: Signs of the ions so far, +1 and -1.
        databases: Prefixes of `molecules.source_pages` that ids so far have.
        has_usi: Whether any row of evidence so far has a Universal Spectrum Identifier, which is its last cell.
    """

    def __init__(self, sections: Sequence[TextIO]) -> None:
        self.polarities: set[int] = set()
        self.databases: set[str] = set()
        self.has_usi = False
        self._sections = sections
        self._n_queries = 0
        self._n_evidence = 0

    def write(self, result: Result) -> str:
        """Write the rows of one query; returns '', or why it has none."""
        if math.isnan(result.mz):
            return NO_MZ
        if any(math.isnan(candidate.theoretical_mz) for candidate in result.candidates):
            return NO_ION
        self._n_queries += 1
        self.polarities |= {result.polarity} - {0}
        self.databases |= {candidate.source.prefix for candidate in result.candidates} - {""}
        number = str(self._n_queries)
        references, usi = spectra_ref(result), _usi(result)
        self.has_usi |= bool(usi and result.candidates)
        evidence = []
        for candidate in result.candidates:
            self._n_evidence += 1
            evidence.append(str(self._n_evidence))
            self._row(2, [evidence[-1], *_evidence_row(result, candidate, references), usi])
        self._row(1, [number, "|".join(evidence), _AMBIGUOUS if len(evidence) > 1 else "", *_feature_row(result)])
        self._row(0, [number, number, *_molecule_row(result)])
        return ""

    def _row(self, section: int, values: Iterable[str]) -> None:
        cells = (cell(value).strip() or NULL for value in values)
        self._sections[section].write("\t".join((_SECTIONS[section][1], *cells)) + "\n")


def spectra_ref(result: Result) -> str:
    """Where the spectra of a query stand in their file: `ms_run[1]:index=0`, several with `|`; the run if unknown."""
    records = [spectrum.record for spectrum in result.hits.spectra] or [result.hits.record]
    return "|".join(f"ms_run[1]:index={record - 1}" for record in records if record) or "ms_run[1]"


def _usi(result: Result) -> str:
    """The identifiers of a query's spectra, in the order of `spectra_ref` where the spectra are known; '' for none."""
    of_spectra = [spectrum.usi for spectrum in result.hits.spectra]
    return _joined(of_spectra if any(of_spectra) else result.hits.usi.split(USI_SEPARATOR))


def _molecule_row(result: Result) -> Sequence[str]:
    """SML behind its ids. Tentative candidates are a list in each cell, separated by `|`."""
    reported = result.reported
    first = result.candidates[0] if result.level != MASS else None
    named = [_joined(column) for column in zip(*map(_of_the_molecule, reported), strict=True)]
    if not reported:
        named = ["", first.neutral_formula if first else "", "", "", "", ""]
    masses = reported or ((first,) if first else ())
    probability = decimal(first.probability, ".6g") if first else ""
    return [
        *named,
        _joined(decimal(candidate.exact_mass, ".6f") for candidate in masses),
        _adduct(first),
        result.level,
        MEASURES[0].parameter if probability else "",
        probability,
        "", "", "",
        result.hits.query_id,
    ]  # fmt: skip


def _feature_row(result: Result) -> Sequence[str]:
    """SMF behind its ids and references."""
    first = result.candidates[0] if result.level != MASS else None
    seconds = decimal(result.retention_time, ".2f")
    charge = str(result.charge or "")
    return [_adduct(first), "", decimal(result.mz, ".6f"), charge, seconds, "", "", "", result.hits.query_id]


def _evidence_row(result: Result, candidate: Candidate, references: str) -> Sequence[str]:
    """SME behind its id."""
    ion = candidate.ion
    return [
        references if "index=" in references else result.hits.query_id,
        *_of_the_molecule(candidate),
        "",
        _adduct(candidate),
        decimal(result.mz, ".6f"),
        str(abs(ion.charge)) if ion else "",
        decimal(candidate.theoretical_mz, ".6f"),
        references,
        _METHOD,
        _MS2,
        *(measure.of(candidate) for measure in MEASURES),
        str(candidate.rank),
        result.hits.query_id,
    ]


def _of_the_molecule(candidate: Candidate) -> Sequence[str]:
    """The columns of `_OF_A_MOLECULE`."""
    prefix, accession = candidate.source
    return [
        f"{prefix or DATABASE_PREFIX}:{accession or NULL}",
        candidate.neutral_formula,
        candidate.smiles,
        identifiers(candidate.smiles).inchi,
        candidate.name,
        candidate.source.page,
    ]


def _joined(values: Iterable[str]) -> str:
    """One item for each value, `null` for '', and '' where all are: the bars of a list are counted by its readers."""
    items = [value.replace("|", "%7C") or NULL for value in values]
    return "" if all(item == NULL for item in items) else "|".join(items)


def _adduct(candidate: Candidate | None) -> str:
    """The adduct as the specification spells it; '' for what it cannot spell."""
    name = candidate.ion.name if candidate and candidate.ion else ""
    return name if _ADDUCT.fullmatch(name) else ""
