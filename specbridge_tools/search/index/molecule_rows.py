"""A block of molecules as columns, on its way into an index."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.embeddings.molecules import joined_ids
from specbridge_tools.hdf5_file import TextArray
from specbridge_tools.molecules.counts import NONE, most
from specbridge_tools.molecules.counts import PREFIX as COUNTS

TEXTS = ("id", "all_ids", "smiles", "formula", "name")
# Masses of one formula, summed in different orders, agree much better; different formulas seldom come this close.
SAME_MASS = 1e-9  # Da


@dataclasses.dataclass(frozen=True)
class Rows:
    """n molecules.

    Attributes:
        exact_mass: (n,), Da.
        inchikey14: (n,) S14.
        texts: column name (`TEXTS`, and those of counts) -> (n,) strings.
        source: (n,), which input or run a row is from; among repeated molecules the lowest wins.
        position: (n,), its row number there.
        embedding: (n, d) float16 or float32, or None while only the other columns are at work.
    """

    exact_mass: NDArray[np.float64]
    inchikey14: NDArray[np.bytes_]
    texts: dict[str, TextArray]
    source: NDArray[np.int64]
    position: NDArray[np.int64]
    embedding: NDArray[np.floating] | None = None

    def __len__(self) -> int:
        return len(self.exact_mass)

    @property
    def vectors(self) -> NDArray[np.floating]:
        """The embedding of rows that have one."""
        if self.embedding is None:
            raise ValueError("these rows have no embedding")
        return self.embedding

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Rows:
        """The rows that `index` (numbers, mask or slice) picks."""
        return Rows(
            self.exact_mass[index],
            self.inchikey14[index],
            {name: column[index] for name, column in self.texts.items()},
            self.source[index],
            self.position[index],
            None if self.embedding is None else self.embedding[index],
        )


def concatenate(blocks: Sequence[Rows]) -> Rows:
    """One block of several, at least one, all with the same columns; with embeddings where all have them."""
    embeddings = [block.embedding for block in blocks if block.embedding is not None]
    return Rows(
        np.concatenate([block.exact_mass for block in blocks]),
        np.concatenate([block.inchikey14 for block in blocks]),
        {name: np.concatenate([block.texts[name] for block in blocks]) for name in blocks[0].texts},
        np.concatenate([block.source for block in blocks]),
        np.concatenate([block.position for block in blocks]),
        np.concatenate(embeddings) if len(embeddings) == len(blocks) else None,
    )


def index_order(rows: Rows) -> NDArray[np.int64]:
    """Positions (n,) that sort rows as an index has them: by mass, then InChIKey block, then where they came from."""
    return np.lexsort((rows.position, rows.source, rows.inchikey14, rows.exact_mass))


def mass_groups(exact_mass: NDArray[np.float64]) -> NDArray[np.int64]:
    """Ascending masses (n,) -> group numbers (n,); a group ends where the next mass is farther than `SAME_MASS`."""
    groups = np.zeros(len(exact_mass), np.int64)
    groups[1:] = np.cumsum(np.diff(exact_mass) > SAME_MASS)
    return groups


def merge_repeats(rows: Rows) -> Rows:
    """Rows in index order -> the same without repeats: of equal InChIKey block and formula the first input's is kept.

    Its `all_ids` then names the ids of all, and its counts are the highest ones. Repeats are sought within a group of
    equal masses, so isotopologues stay apart.
    """
    group = mass_groups(rows.exact_mass)
    order = np.lexsort((rows.position, rows.source, rows.inchikey14, group))
    group, key = group[order], rows.inchikey14[order]
    suspect = np.flatnonzero((group[1:] == group[:-1]) & (key[1:] == key[:-1]))
    if not len(suspect):
        return rows
    keep = np.ones(len(rows), bool)
    texts = {name: rows.texts[name].copy() for name in rows.texts if name == "all_ids" or name.startswith(COUNTS)}
    first_of: dict[tuple[int, bytes, str], int] = {}
    for place in np.union1d(suspect, suspect + 1).tolist():
        row = int(order[place])
        identity = (int(group[place]), key[place], rows.texts["formula"][row])
        first = first_of.setdefault(identity, row)
        if first != row:
            keep[row] = False
            for name, column in texts.items():
                column[first] = merged_text(name, [column[first], column[row]])
    return dataclasses.replace(rows, texts=rows.texts | texts).take(keep)


def merged_text(column: str, texts: Sequence[str]) -> str:
    """What the rows of one molecule have in a column together: all ids, the highest count; else that of the first."""
    if column == "all_ids":
        return joined_ids(texts)
    return most(texts) if column.startswith(COUNTS) else texts[0]


def with_columns(texts: dict[str, NDArray[np.object_]], names: Iterable[str], n: int) -> dict[str, NDArray[np.object_]]:
    """Columns of text of n rows, with all these columns of counts: 0 where a file lacks them."""
    return texts | {name: np.full(n, NONE, object) for name in names if name not in texts}
