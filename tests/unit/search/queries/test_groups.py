import numpy as np
import pytest
from builders import spectrum
from hypothesis import given, settings
from hypothesis import strategies as st

from specbridge_tools.records import Rejection, Tally
from specbridge_tools.search.candidates.tolerance import DEFAULT_TOLERANCE
from specbridge_tools.search.queries.groups import Groups
from specbridge_tools.spectra.spectrum import Spectrum


def member(number, group, *, precursor_mz=200.0, charge=1, polarity=1, **fields):
    fields |= {"f": group} if group else {}
    return spectrum(
        precursor_mz=precursor_mz, id=f"s{number}", charge=charge, polarity=polarity, record=number, **fields
    )


def vector(number):
    values = np.random.default_rng(number).normal(size=6)
    return (values / np.linalg.norm(values)).astype(np.float32)


def groups(records, tally=None, same=()):
    names = [record.metadata.get("f", "") for record in records if isinstance(record, Spectrum)]
    sizes = {name: names.count(name) for name in names}
    settings = {"tolerance": DEFAULT_TOLERANCE, "same": same, "tally": tally or Tally(), "source": "x.mgf"}
    return Groups("f", sizes, **settings)


def pooled(records, *, chunk=100, **settings):
    made = groups(records, **settings)
    pairs = [(r, None if isinstance(r, Rejection) else vector(r.record)) for r in records]
    chunks = [pairs[start : start + chunk] for start in range(0, len(pairs), chunk)]
    return [(record, vector) for pairs in chunks for record, vector, _ in made.add(pairs)]


def test_a_group_is_the_mean_of_its_unit_vectors():
    ((record, mean),) = pooled([member(1, "a"), member(2, "a", precursor_mz=200.001), member(3, "a")])
    expected = vector(1).astype(float) + vector(2) + vector(3)
    assert mean == pytest.approx(expected / np.linalg.norm(expected), abs=1e-12)
    assert (record.id, record.record, record.precursor_mz, record.adduct) == ("a", 1, 200.0, "[M+H]+")


def test_a_single_spectrum_keeps_its_vector_to_the_last_bit():
    ((record, mean),) = pooled([member(1, "a")])
    assert (mean == vector(1)).all()
    assert record.id == "a"


@settings(max_examples=40)
@given(names=st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=12), chunk=st.integers(1, 5))
def test_groups_come_in_the_order_of_their_first_spectra_whatever_the_chunks(names, chunk):
    records = [member(i, name) for i, name in enumerate(names, start=1)]
    tally = Tally()
    answers = pooled(records, chunk=chunk, tally=tally)
    firsts = {name or f"s{i}": i for i, name in reversed(list(enumerate(names, start=1)))}
    assert [record.record for record, _ in answers] == sorted(firsts.values())
    assert tally.n_read == len(names)
    assert tally.n_rejected == names.count("")
    for record, mean in answers:
        members = [i for i, name in enumerate(names, start=1) if name == record.id]
        if members:
            assert mean == pytest.approx(
                np.sum([vector(i) for i in members], axis=0)
                / np.linalg.norm(np.sum([vector(i) for i in members], axis=0)),
                abs=1e-6,
            )


def test_groups_that_stand_together_are_answered_at_once():
    records = [member(1, "a"), member(2, "a"), member(3, "b"), member(4, "a")][:3]
    made = groups([*records, member(4, "b")])
    assert [record.id for record, *_ in made.add([(r, vector(r.record)) for r in records])] == ["a"]


def test_what_one_spectrum_does_not_tell_another_may():
    unknown = {"adduct": None, "charge": 0, "polarity": 0}
    ((record, _),) = pooled([member(1, "a", **unknown), member(2, "a")])
    assert (record.adduct, record.charge, record.polarity) == ("[M+H]+", 1, 1)
    ((record, _),) = pooled([member(1, "a", **unknown), member(2, "a", **unknown)])
    assert (record.adduct, record.charge, record.polarity) == (None, 0, 0)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ({"precursor_mz": 200.01}, "spectra of several precursors in the group"),
        ({"adduct": "[M+Na]+"}, "spectra of several adducts in the group"),
        ({"adduct": None, "charge": -1, "polarity": -1}, "spectra of several adducts in the group"),
        ({"formula": "C2"}, "spectra of several values of formula in the group"),
    ],
)
def test_groups_of_several_ions_are_rejected_with_all_their_spectra(second, reason):
    tally = Tally()
    answers = pooled([member(1, "a"), member(2, "b"), member(3, "a", **second)], tally=tally, same=["formula"])
    (bad, nothing), (good, _) = answers
    assert (bad.reason, bad.id, bad.record, nothing) == (reason, "a", 1, None)
    assert good.id == "b"
    assert tally.reasons == {reason: 2}


def test_vectors_that_cancel_have_no_direction():
    made = groups(records := [member(1, "a"), member(2, "a")])
    ((rejection, nothing, _),) = made.add([(records[0], vector(1)), (records[1], -vector(1))])
    assert (rejection.reason, nothing) == ("vectors of the group cancel", None)
