import contextlib
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specbridge_tools.search.index.merge import merged_rows
from specbridge_tools.search.index.molecule_rows import SAME_MASS, concatenate, index_order, merge_repeats

# few values, so that masses, keys and formulas meet; some masses differ by rounding only, some by just too much
MASSES = [100.0, 100.0 + 1e-13, 100.0 + 0.9 * SAME_MASS, 100.0 + 2.5 * SAME_MASS, 150.0, 200.0]
MOLECULES = st.lists(
    st.tuples(st.sampled_from(MASSES), st.sampled_from("ABC"), st.sampled_from(["CH4", "CH3D"])), max_size=12
)


def rows_of(make_rows, molecules, tag):
    """Sorted rows without repeats, as an index holds them, with ids that name the input and the place."""
    rows = make_rows(
        [mass for mass, _, _ in molecules],
        keys=[key * 14 for _, key, _ in molecules],
        formulas=[formula for _, _, formula in molecules],
        seed=ord(tag),
    )
    ids = np.array([f"{tag}{i}" for i in rows.position], object)
    return merge_repeats(dataclasses.replace(rows, texts=rows.texts | {"id": ids, "all_ids": ids.copy()}))


def described(rows):
    columns = (rows.exact_mass, rows.inchikey14, rows.texts["formula"], rows.texts["id"], rows.texts["all_ids"])
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.slow
@settings(max_examples=60)
@given(inputs=st.lists(MOLECULES.filter(len), min_size=1, max_size=4), block_rows=st.integers(1, 7))
def test_merging_by_blocks_equals_merging_at_once(make_rows, opened, inputs, block_rows):
    parts = [rows_of(make_rows, molecules, "abcd"[number]) for number, molecules in enumerate(inputs)]
    whole = concatenate([dataclasses.replace(part, source=part.source + i) for i, part in enumerate(parts)])
    expected = merge_repeats(whole.take(index_order(whole)))
    with contextlib.ExitStack() as stack:
        indexes = [stack.enter_context(opened(part)) for part in parts]
        merged = concatenate(list(merged_rows(indexes, block_rows=block_rows)))
    assert described(merged) == described(expected)
    assert np.array_equal(merged.embedding, expected.embedding)


@given(molecules=MOLECULES.filter(len))
def test_of_each_molecule_the_first_is_kept_with_the_ids_of_all(make_rows, molecules):
    rows = make_rows(
        [mass for mass, _, _ in molecules],
        keys=[key * 14 for _, key, _ in molecules],
        formulas=[formula for _, _, formula in molecules],
    )
    merged = merge_repeats(rows)
    identities = {}
    for place, (mass, key, formula) in enumerate(molecules):
        # the three near 100.0 are one mass; all others are apart
        identities.setdefault((mass if mass - 100.0 > SAME_MASS else 100.0, key, formula), []).append(f"id{place}")
    assert sorted(merged.texts["id"]) == sorted(ids[0] for ids in identities.values())
    assert sorted(map(set, (ids.split(";") for ids in merged.texts["all_ids"])), key=sorted) == sorted(
        map(set, identities.values()), key=sorted
    )
    assert (np.diff(merged.exact_mass) >= 0).all()


def test_ids_are_joined_once_each_in_the_order_of_the_inputs(make_rows):
    rows = make_rows([5.0, 5.0, 5.0], keys=["A" * 14] * 3, formulas=["X", "X", "X"])
    rows.texts["all_ids"][:] = ["a;b", "b;c", "a"]
    assert merge_repeats(rows).texts["all_ids"].tolist() == ["a;b;c"]
