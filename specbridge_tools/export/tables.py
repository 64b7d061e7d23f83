"""Exports that are one table with a header: for SIRIUS's readers, for MetaboLights, and edges of a network."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Protocol, TextIO

from specbridge_tools.export.identifiers import identifiers
from specbridge_tools.export.network import edges
from specbridge_tools.export.numbers import decimal
from specbridge_tools.export.result import Candidate, Result
from specbridge_tools.hits.level import MASS, formula_probabilities
from specbridge_tools.provenance import CREATED_BY
from specbridge_tools.terminal import cell

NO_CANDIDATE = "no candidate"
SIRIUS_COLUMNS = (
    "structurePerIdRank", "formulaRank", "ConfidenceScoreExact", "ConfidenceScoreApproximate", "CSI:FingerIDScore",
    "ZodiacScore", "SiriusScore", "molecularFormula", "adduct", "precursorFormula", "InChIkey2D", "InChI", "name",
    "smiles", "xlogp", "pubchemids", "links", "dbflags", "ionMass", "retentionTimeInSeconds", "retentionTimeInMinutes",
    "formulaId", "alignedFeatureId", "mappingFeatureId", "overallFeatureQuality", "level",
)  # fmt: skip
"""Those of SIRIUS 6, in its order, and behind them our level."""
MAF_COLUMNS = (
    "database_identifier", "chemical_formula", "smiles", "inchi", "metabolite_identification", "mass_to_charge",
    "fragmentation", "modifications", "charge", "retention_time", "taxid", "species", "database", "database_version",
    "reliability", "uri", "search_engine", "search_engine_score", "smallmolecule_abundance_sub",
    "smallmolecule_abundance_stdev_sub", "smallmolecule_abundance_std_error_sub",
)  # fmt: skip
"""Those of MetaboLights for mass spectrometry, in its order; columns of samples follow when a study has them."""
EDGE_COLUMNS = (
    "source", "target", "interaction", "weight", "rank", "score", "probability", "level", "name", "smiles",
    "inchikey14", "formula", "adduct", "mz", "retention_time",
)  # fmt: skip
UNKNOWN = "unknown"


class Rows(Protocol):
    """What a table has of one query; nothing where the format has no place for it."""

    def __call__(self, result: Result, /) -> Iterator[Mapping[str, str]]:
        """Yield {column: text} of each row; columns left out are empty."""
        ...


class TableWriter:
    """Writes the rows of queries to an open text file, TSV with a header.

    A cell is one line without tabs, see `terminal.cell`; one with a double quote is quoted as in CSV.
    """

    def __init__(self, stream: TextIO, columns: tuple[str, ...], rows: Rows) -> None:
        self._columns = columns
        self._rows = rows
        self._table = csv.writer(stream, delimiter="\t", lineterminator="\n")
        self._table.writerow(columns)

    def write(self, result: Result) -> str:
        """Write the rows of one query; returns '', or why there are none."""
        n_written = 0
        for row in self._rows(result):
            self._table.writerow([cell(row.get(name, "")) for name in self._columns])
            n_written += 1
        return "" if n_written else NO_CANDIDATE


def sirius_rows(result: Result) -> Iterator[dict[str, str]]:
    """One row a candidate. Our probability and score stand in the places of SIRIUS's exact confidence and CSI score."""
    formula_ranks = _formula_ranks(result)
    for candidate in result.candidates:
        yield {
            "structurePerIdRank": str(candidate.rank),
            "formulaRank": str(formula_ranks.get(candidate.formula, "")),
            "ConfidenceScoreExact": decimal(candidate.probability, ".6g"),
            "CSI:FingerIDScore": decimal(candidate.score, ".9g"),
            "molecularFormula": candidate.neutral_formula,
            "adduct": _spaced(candidate.adduct),
            "InChIkey2D": candidate.inchikey14,
            "InChI": identifiers(candidate.smiles).inchi,
            "name": candidate.name,
            "smiles": candidate.smiles,
            "pubchemids": candidate.source.accession if candidate.source.prefix == "pubchem" else "",
            "links": _link(candidate),
            "ionMass": decimal(result.mz, ".5f"),
            "retentionTimeInSeconds": decimal(result.retention_time, ".2f"),
            "retentionTimeInMinutes": decimal(result.retention_time / 60, ".4f"),
            "mappingFeatureId": result.feature_id,
            "level": candidate.level,
        }


def maf_rows(result: Result) -> Iterator[dict[str, str]]:
    """One row a structure that may be named at its level; a formula alone at level 4, an unknown at 5."""
    ion = {
        "mass_to_charge": decimal(result.mz, ".5f"),
        "charge": str(result.charge or ""),
        "retention_time": decimal(result.retention_time, ".2f"),
        "reliability": result.level,
        "search_engine": CREATED_BY,
    }
    for candidate in result.reported:
        yield ion | {
            "database_identifier": candidate.id,
            "database": candidate.source.database.name if candidate.source.database else "",
            "uri": candidate.source.page,
            "chemical_formula": candidate.neutral_formula,
            "smiles": candidate.smiles,
            "inchi": identifiers(candidate.smiles).inchi,
            "metabolite_identification": candidate.name or candidate.smiles or candidate.inchikey14,
            "modifications": candidate.adduct,
            "search_engine_score": decimal(candidate.probability, ".6g"),
        }
    if not result.reported:
        first = result.candidates[0] if result.level != MASS else None
        yield ion | {
            "chemical_formula": first.neutral_formula if first else "",
            "metabolite_identification": UNKNOWN,
            "modifications": first.adduct if first else "",
        }


def edge_rows(result: Result) -> Iterator[dict[str, str]]:
    """One row an edge of the network; a query without edges has one with a source alone."""
    query = {
        "source": result.feature_id,
        "mz": decimal(result.mz, ".5f"),
        "retention_time": decimal(result.retention_time, ".2f"),
    }
    n_edges = 0
    for edge in edges(result):
        candidate = edge.candidate
        n_edges += 1
        yield query | {
            "target": edge.target,
            "interaction": edge.interaction,
            "weight": decimal(edge.weight, ".6g"),
            "level": candidate.level,
            **({} if edge.is_evidence else _of_candidate(candidate)),
        }
    if not n_edges:
        yield query | {"level": result.level}


def _of_candidate(candidate: Candidate) -> dict[str, str]:
    return {
        "rank": str(candidate.rank),
        "score": decimal(candidate.score, ".9g"),
        "probability": decimal(candidate.probability, ".6g"),
        "name": candidate.name,
        "smiles": candidate.smiles,
        "inchikey14": candidate.inchikey14,
        "formula": candidate.formula,
        "adduct": candidate.adduct,
    }


def _formula_ranks(result: Result) -> dict[str, int]:
    """Rank of each formula by the probability of all its candidates; in the order of the candidates where they tie."""
    if "formula" not in result.hits.columns:
        return {}
    of_formula = dict(zip(result.hits.column("formula"), formula_probabilities(result.hits).tolist(), strict=True))
    ordered = sorted(filter(None, of_formula), key=lambda formula: -of_formula[formula])
    return {formula: rank for rank, formula in enumerate(ordered, start=1)}


def _link(candidate: Candidate) -> str:
    """`pubchem:(2519)`, as SIRIUS writes it; an id without a database as it is."""
    prefix, accession = candidate.source
    return f"{prefix}:({accession})" if prefix else accession


def _spaced(adduct: str) -> str:
    """`[M+H]+` -> `[M + H]+`, as SIRIUS writes it."""
    inside, bracket, charge = adduct.partition("]")
    return inside.replace("+", " + ").replace("-", " - ") + bracket + charge
