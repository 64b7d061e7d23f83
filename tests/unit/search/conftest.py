"""Small indexes and queries for the tests of the search; the fixtures are functions."""

import dataclasses
import itertools
import string

import numpy as np
import pytest

from specbridge_tools.embeddings.space import Space
from specbridge_tools.molecules.adducts import parse_adduct
from specbridge_tools.search.candidates.query import Query
from specbridge_tools.search.index.exact_scores import unit_rows
from specbridge_tools.search.index.format import create_index_file, text_sizes
from specbridge_tools.search.index.molecule_rows import TEXTS, Rows, index_order
from specbridge_tools.search.index.reader import open_index

LETTERS = np.array(list(string.ascii_uppercase))


@pytest.fixture(scope="session")
def make_rows():
    """Molecules with given masses, sorted as an index has them; random but for what is given."""

    def make(masses, *, dimension=8, seed=0, dtype="float16", vectors=None, keys=None, formulas=None):
        rng = np.random.default_rng(seed)
        n = len(masses)
        if keys is None:
            keys = ["".join(letters) for letters in rng.choice(LETTERS, (n, 14))]
        if vectors is None:
            vectors = rng.normal(size=(n, dimension))
        texts = {name: np.array([f"{name}{i}" for i in range(n)], object) for name in TEXTS}
        texts["all_ids"] = texts["id"].copy()
        texts["name"] = np.array([f"Näme \u2192 {i}" if i % 3 else "" for i in range(n)], object)
        if formulas is not None:
            texts["formula"] = np.array(formulas, object)
        rows = Rows(
            np.array(masses, np.float64),
            np.array(keys, "S14"),
            texts,
            np.zeros(n, np.int64),
            np.arange(n),
            unit_rows(vectors, dtype),
        )
        return rows.take(index_order(rows))

    return make


@pytest.fixture(scope="session")
def write_index():
    """`Rows` in index order -> index file at a path."""

    def write(rows, path, **changes):
        n, sizes = text_sizes([rows])
        space = dataclasses.replace(Space("toy:dimension=8", "a1" * 32, "", rows.embedding.shape[1]), **changes)
        with create_index_file(path, space, n=n, dtype=rows.embedding.dtype, text_bytes=sizes) as file:
            for start in range(0, n, 5):
                file.append(rows.take(slice(start, start + 5)))
        return path

    return write


@pytest.fixture(scope="session")
def opened(tmp_path_factory, write_index):
    """`Rows` in index order -> open index, to be used in a `with` statement."""
    folder, numbers = tmp_path_factory.mktemp("indexes"), itertools.count()
    return lambda rows, **changes: open_index(write_index(rows, folder / f"{next(numbers)}.h5", **changes))


@pytest.fixture(scope="session")
def make_query():
    """A query whose first adduct gives the neutral mass `mass` (Da)."""

    def make(vector, mass, *, adducts=("[M+H]+",), dtype="float16", formula=""):
        adducts = tuple(parse_adduct(name) for name in adducts)
        unit = unit_rows(np.asarray(vector)[None], dtype)[0].astype(np.float64)
        return Query("q", 1, "", adducts[0].precursor_mz(mass), adducts, formula, unit)

    return make
