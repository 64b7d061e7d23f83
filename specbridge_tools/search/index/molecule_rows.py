"""A block of molecules as columns, on its way into an index."""

import dataclasses

import numpy as np

TEXTS = ("id", "all_ids", "smiles", "formula", "name")
ID_SEPARATOR = ";"
# Masses of one formula, summed in different orders, agree much better; different formulas seldom come this close.
SAME_MASS = 1e-9  # Da


@dataclasses.dataclass(frozen=True)
class Rows:
    """n molecules.

    exact_mass  (n,) float64, Da
    inchikey14  (n,) S14
    texts       column name (`TEXTS`) -> (n,) object array of str
    source      (n,) int64: which input or run a row is from; among repeated molecules the lowest wins
    position    (n,) int64: its row number there
    embedding   (n, d) float16 or float32, or None while only the other columns are at work
    """

    exact_mass: np.ndarray
    inchikey14: np.ndarray
    texts: dict[str, np.ndarray]
    source: np.ndarray
    position: np.ndarray
    embedding: np.ndarray | None = None

    def __len__(self):
        return len(self.exact_mass)

    def take(self, index):
        """The rows that `index` (numbers, mask or slice) picks."""
        return Rows(
            self.exact_mass[index],
            self.inchikey14[index],
            {name: column[index] for name, column in self.texts.items()},
            self.source[index],
            self.position[index],
            None if self.embedding is None else self.embedding[index],
        )


def concatenate(blocks):
    """Blocks of rows, at least one -> one."""
    return Rows(
        np.concatenate([block.exact_mass for block in blocks]),
        np.concatenate([block.inchikey14 for block in blocks]),
        {name: np.concatenate([block.texts[name] for block in blocks]) for name in TEXTS},
        np.concatenate([block.source for block in blocks]),
        np.concatenate([block.position for block in blocks]),
        None if blocks[0].embedding is None else np.concatenate([block.embedding for block in blocks]),
    )


def index_order(rows):
    """Positions that sort rows as an index has them: by mass, then InChIKey, then where they came from."""
    return np.lexsort((rows.position, rows.source, rows.inchikey14, rows.exact_mass))


def mass_groups(exact_mass):
    """Ascending masses (n,) -> group numbers (n,); a group ends where the next mass is farther than `SAME_MASS`."""
    return np.concatenate([[0], np.cumsum(np.diff(exact_mass) > SAME_MASS)]) if len(exact_mass) else np.zeros(0, int)


def merge_repeats(rows):
    """Rows in index order -> the same without repeats: of equal InChIKey block and formula the first input's is kept.

    Its `all_ids` then names the ids of all. Repeats are sought within a group of equal masses, so isotopologues stay
    apart.
    """
    group = mass_groups(rows.exact_mass)
    order = np.lexsort((rows.position, rows.source, rows.inchikey14, group))
    group, key = group[order], rows.inchikey14[order]
    suspect = np.flatnonzero((group[1:] == group[:-1]) & (key[1:] == key[:-1]))
    if not len(suspect):
        return rows
    keep = np.ones(len(rows), bool)
    all_ids = rows.texts["all_ids"].copy()
    first_of = {}
    for place in np.union1d(suspect, suspect + 1):
        row = order[place]
        identity = (group[place], key[place], rows.texts["formula"][row])
        first = first_of.setdefault(identity, row)
        if first != row:
            keep[row] = False
            all_ids[first] = _joined(all_ids[first], all_ids[row])
    return dataclasses.replace(rows, texts=rows.texts | {"all_ids": all_ids}).take(keep)


def _joined(first, second):
    return ID_SEPARATOR.join(dict.fromkeys(f"{first}{ID_SEPARATOR}{second}".split(ID_SEPARATOR)))
