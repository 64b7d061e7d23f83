"""The hits of one query: its candidates, best first, as typed columns; `hits.table` reads and writes them as text."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.spectra.spectrum import Spectrum

if TYPE_CHECKING:
    import pandas

Column: TypeAlias = "NDArray[np.float64] | NDArray[np.int64] | list[str]"
Value: TypeAlias = "float | int | str | None"

COLUMNS = (
    "query_id",
    "rank",
    "score",
    "probability",
    "inchikey14",
    "smiles",
    "formula",
    "exact_mass",
    "adduct",
    "mass_error_ppm",
    "id",
    "name",
    "n_candidates",
    "reason",
    "all_ids",
    "record",
)
REPAIRED = "repaired"
"""The column behind all others where spectra were repaired: what the reader overruled in the query."""
MISFIT = "isotope_misfit"
"""The column behind `mass_error_ppm` where isotope peaks are looked at; up to 1 the pattern fits."""
USI = "usi"
"""The column behind all others where the spectra's file names Universal Spectrum Identifiers: that of the query."""
USI_SEPARATOR = ";"
"""Between the identifiers of a group."""
RERANKED = ("cosine", "fragment_score", "explained_intensity")
"""Columns that re-ranking adds, behind `score`."""
REFERENCE = ("reference_similarity", "reference_id", "reference_kind", "reference_licence", "analog_score", "analog_id")
"""Columns that reference spectra add, behind those."""
IF_LISTED = "probability_if_listed"
"""Column that the learned ranking adds, behind `probability`."""
INTEGERS = frozenset({"rank", "n_candidates", "record"})
REALS = frozenset(
    {
        "score",
        "probability",
        IF_LISTED,
        "exact_mass",
        "mass_error_ppm",
        MISFIT,
        *RERANKED,
        "reference_similarity",
        "analog_score",
    }
)
OF_THE_QUERY = frozenset({"query_id", "n_candidates", "reason", "record", REPAIRED, USI})
# repr has as many digits as it takes to read the same float64 again, so that order and ties survive
_FORMATS = {
    "probability": ".6g",
    IF_LISTED: ".6g",
    "exact_mass": ".6f",
    "mass_error_ppm": ".3f",
    MISFIT: ".3g",
} | dict.fromkeys((*RERANKED[1:], "reference_similarity", "analog_score"), ".9g")
_FUSED_SCORE = ".9g"


@dataclasses.dataclass(frozen=True, eq=False)
class Hits:
    """Candidates of one query, best first; without a candidate the reason why.

    Attributes:
        query_id: Id of the spectrum, or name of the group.
        record: 1-based number of the query in its file; 0 where it is unknown.
        columns: Names of the columns of the table, in order.
        candidates: {column: one value a candidate}: float64, NaN where missing; int64 for the rank, 0 where missing; or
            strings. Holds all of `columns` but those that belong to the query.
        reason: Why there is no candidate; '' where there are some.
        n_candidates: How many molecules were compared; None where it is unknown.
        spectra: The spectrum, or all of the group, where they are kept.
        repaired: What the reader overruled in the spectrum, see `Spectrum.repaired`.
        usi: Universal Spectrum Identifier of the spectrum, those of a group with `;` between them; '' for none.
    """

    query_id: str
    record: int
    columns: tuple[str, ...]
    candidates: Mapping[str, Column]
    reason: str = ""
    n_candidates: int | None = None
    spectra: tuple[Spectrum, ...] = ()
    repaired: str = ""
    usi: str = ""

    def __len__(self) -> int:
        """Number of candidates."""
        return len(self.candidates["inchikey14"])

    def __bool__(self) -> bool:
        """True: that hits are empty says that a query has no candidate, not that there is no query."""
        return True

    @property
    def is_reranked(self) -> bool:
        """Whether `score` is that of re-ranking, beside which the cosine stands."""
        return "cosine" in self.columns

    def column(self, name: str) -> list[str]:
        """A column as it is printed, one string a candidate; the name must be among `columns`."""
        return self._printed(name)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A column of numbers as float64, one a candidate, NaN where missing; the name must be among `columns`."""
        values = self._values(name)
        if isinstance(values, list):
            raise DataError(f"column {name} of query {self.query_id} holds text, not numbers")
        return np.where(values == 0, np.nan, values) if name == "rank" else np.asarray(values, np.float64)

    def value(self, name: str) -> str:
        """What the table has of the first candidate, or of the query without one; '' where it lacks the column."""
        if name not in self.columns:
            return ""
        if len(self):
            return self._printed(name)[0]
        return self._of_query(name)

    def printed(self, row: int) -> dict[str, str]:
        """{column: text} of one candidate."""
        chosen = self.take([row])
        return {name: chosen._printed(name)[0] for name in self.columns}

    def take(self, rows: Sequence[int] | NDArray[np.int64] | slice) -> Hits:
        """The same query with these candidates, in this order."""
        picked: dict[str, Column] = {}
        for name, values in self.candidates.items():
            if isinstance(values, list):
                picked[name] = values[rows] if isinstance(rows, slice) else [values[row] for row in rows]
            else:
                picked[name] = values[rows]
        return dataclasses.replace(self, candidates=picked)

    def without_candidates(self, reason: str) -> Hits:
        """The same query without candidates, for a reason."""
        return dataclasses.replace(self.take(slice(0, 0)), reason=reason)

    def rows(self, columns: Sequence[str] | None = None) -> list[tuple[str, ...]]:
        """What the table has of the query: one row a candidate, or the one that gives the reason."""
        columns = self.columns if columns is None else columns
        if not len(self):
            return [tuple(map(self._of_query, columns))]
        return list(zip(*map(self._printed, columns), strict=True))

    def __iter__(self) -> Iterator[dict[str, Value]]:
        """Yield {column: value} of each candidate; numbers are numbers, None where missing."""
        values = {name: _plain(self._values(name)) for name in self.columns}
        for row in range(len(self)):
            yield {name: column[row] for name, column in values.items()}

    def to_pandas(self) -> pandas.DataFrame:
        """The candidates as a pandas DataFrame, which must be installed."""
        import pandas

        return pandas.DataFrame({name: self._values(name) for name in self.columns})

    def _values(self, name: str) -> Column:
        if name not in OF_THE_QUERY:
            return self.candidates[name]
        if name == "n_candidates":
            return np.full(len(self), np.nan if self.n_candidates is None else float(self.n_candidates))
        if name == "record":
            return np.full(len(self), self.record, np.int64)
        return [self._of_query(name)] * len(self)

    def _of_query(self, name: str) -> str:
        if name == "query_id":
            return self.query_id
        if name == "record":
            return str(self.record) if self.record else ""
        if name == "n_candidates":
            return "" if self.n_candidates is None else str(self.n_candidates)
        if name == REPAIRED:
            return self.repaired
        if name == USI:
            return self.usi
        return self.reason if name == "reason" else ""

    def _printed(self, name: str) -> list[str]:
        if name in OF_THE_QUERY:
            return [self._of_query(name)] * len(self)
        values = self.candidates[name]
        if isinstance(values, list):
            return values
        if name in INTEGERS:
            return [str(value) if value else "" for value in values.tolist()]
        spec = _FUSED_SCORE if name == "score" and self.is_reranked else _FORMATS.get(name)
        if spec is None:
            return [repr(value) if value == value else "" for value in values.tolist()]
        return [format(value, spec) if value == value else "" for value in values.tolist()]


def reranked_columns(columns: Sequence[str], *, with_reference: bool = False) -> tuple[str, ...]:
    """Columns of a re-ranked table: the added ones stand behind `score`, then those of references."""
    others = [name for name in columns if name not in (*RERANKED, *REFERENCE, IF_LISTED)]
    position = others.index("score") + 1
    return (*others[:position], *RERANKED, *(REFERENCE if with_reference else ()), *others[position:])


def ranked_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """Columns of a table that the ranking ranked: the added one stands behind `probability`, if that is there."""
    others = [name for name in columns if name != IF_LISTED]
    if "probability" not in others:
        return tuple(others)
    position = others.index("probability") + 1
    return (*others[:position], IF_LISTED, *others[position:])


def prior_columns(columns: Sequence[str], prior: str) -> tuple[str, ...]:
    """Columns of a table that was ranked with a prior: its column stands behind `score`."""
    position = columns.index("score") + 1
    return (*columns[:position], prior, *columns[position:])


def with_misfit(columns: Sequence[str]) -> tuple[str, ...]:
    """Columns of a table for which isotope peaks were looked at."""
    position = columns.index("mass_error_ppm") + 1
    return (*columns[:position], MISFIT, *columns[position:])


def above_probability(hits: Hits, least: float) -> Hits:
    """The candidates whose probability is at least `least`; without any, the reason that says so."""
    if not len(hits):
        return hits
    rows = np.flatnonzero(hits.numbers("probability") >= least)
    if len(rows):
        return hits.take(rows)
    return hits.without_candidates(f"no candidate with a probability of at least {least:g}")


def _plain(values: Column) -> Sequence[Value]:
    if isinstance(values, list):
        return values
    return [None if value != value else value for value in values.tolist()]
