import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specbridge_tools.evaluation import spelling
from specbridge_tools.evaluation.audit import AuditList, audit
from specbridge_tools.evaluation.spelling import SpellingModel, ngram_matrix

RINGS = ("c1ccccc1", "c1ccncc1", "c1ccoc1", "C1CCCCC1", "C1CCNCC1", "c1ccsc1")
CHAINS = ("C", "CC", "CCC", "CO", "CN", "CCO", "CC(=O)O", "CCCl", "C(=O)N", "CCBr", "OC", "CC#N")
MOLECULES = tuple(f"{chain}{ring}" for chain in CHAINS for ring in RINGS)


def reversed_chain(smiles):
    """Another way to write the same atoms, as far as letters go."""
    return f"[H]{smiles}"


def lists(n, *, truth=str, decoy=str, size=8, seed=0):
    rng = np.random.default_rng(seed)
    made = []
    for i in range(n):
        molecules = [MOLECULES[j] for j in rng.permutation(len(MOLECULES))[:size]]
        at = int(rng.integers(size))
        as_given = [[truth(text)] if j == at else [decoy(text)] for j, text in enumerate(molecules)]
        made.append(AuditList(f"MOLECULE{i}", as_given, molecules, at))
    return made


def figures(metrics):
    return {metric.ranking: metric for metric in metrics}


def test_truths_that_are_spelled_differently_sound_the_alarm():
    found = figures(audit(lists(40, truth=reversed_chain), resamples=200))
    assert found["spelling_as_given"].value > 0.9
    assert found["spelling_canonical"].value < 0.4
    assert found["spelling_marks"].value > 0.9
    assert found["random"].value == pytest.approx(1 / 8)
    assert found["spelling_excess"].low > 0.5
    assert found["spelling"].metric == "alarm"
    assert found["spelling"].value == 1
    assert found["spelling"].note.startswith("ALARM: the spelling of SMILES gives truths away: letters alone identify ")


@pytest.mark.parametrize("spell", [str, reversed_chain])
@pytest.mark.parametrize("seed", [0, 1])
def test_lists_in_one_spelling_stay_silent(spell, seed):
    found = figures(audit(lists(40, truth=spell, decoy=spell, seed=seed), resamples=200))
    assert found["spelling"].value == 0
    assert "ALARM" not in found["spelling"].note
    assert abs(found["spelling_excess"].value) < 0.15


@pytest.mark.parametrize("spell", [str, reversed_chain])
def test_what_molecules_tell_is_no_alarm(spell):
    """Truths that are all of one kind are found by any string model; their spelling adds nothing."""
    chlorides = [text for text in MOLECULES if "Cl" in text]
    others = [text for text in MOLECULES if "Cl" not in text]
    rng = np.random.default_rng(0)
    made = []
    for i in range(30):
        molecules = [chlorides[i % len(chlorides)], *(others[j] for j in rng.permutation(len(others))[:7])]
        made.append(AuditList(f"MOLECULE{i}", [[spell(text)] for text in molecules], molecules, 0))
    found = figures(audit(made, resamples=200))
    assert found["spelling_as_given"].value > 0.9
    assert found["spelling_excess"].value == pytest.approx(0, abs=0.1)
    assert found["spelling"].value == 0


def test_spelling_sounds_the_alarm_also_where_molecules_tell_as_much():
    chlorides = [text for text in MOLECULES if "Cl" in text]
    others = [text for text in MOLECULES if "Cl" not in text]
    made = []
    for i in range(20):
        molecules = [chlorides[i % len(chlorides)], *others[i : i + 6]]
        as_given = [[reversed_chain(molecules[0])], *([text] for text in molecules[1:])]
        made.append(AuditList(f"MOLECULE{i}", as_given, molecules, 0))
    found = figures(audit(made, resamples=200))
    assert found["spelling_excess"].low <= 0.02
    assert found["spelling_marks"].value == 1
    assert found["spelling"].value == 1


@pytest.mark.parametrize(
    ("given", "canonical", "n"),
    [("CCO", "CCO", 0), ("OCC", "CCO", 3), ("C1=CC=CC=C1", "c1ccccc1", 5), ("C[C@H](O)N", "CC(N)O", 5)],
)
def test_marks_are_what_differs(given, canonical, n):
    assert spelling.mark_matrix([(given, canonical)]).nnz == n


def test_one_of_several_spellings_is_enough():
    made = []
    for candidates in lists(40, truth=reversed_chain):
        pairs = zip(candidates.as_given, candidates.canonical, strict=True)
        as_given = [list(dict.fromkeys([smiles, *strings])) for strings, smiles in pairs]
        made.append(dataclasses.replace(candidates, as_given=as_given))
    assert sum(len(strings) == 2 for candidates in made for strings in candidates.as_given) == 40
    assert figures(audit(made, resamples=200))["spelling"].value == 1


def test_few_molecules_say_nothing():
    metrics = audit(lists(9))
    assert all(math.isnan(metric.value) for metric in metrics)
    assert metrics[-1].note == "needs 10 molecules whose lists hold them and a decoy, found 9"
    assert audit([])[-1].metric == "alarm"


def test_ngrams_are_counted_within_strings_alone():
    together = ngram_matrix(["CCO", "", "N"])
    assert together.shape == (3, 1 << 15)
    # CCO with its two ends: 4 + 4 + 3 + 2 different n-grams, C twice; an empty string has its ends
    assert np.diff(together.indptr).tolist() == [13, 3, 6]
    assert together[0].max() == pytest.approx(np.log(3))
    for row, text in enumerate(("CCO", "", "N")):
        assert (ngram_matrix([text]) != together[row]).nnz == 0


@settings(max_examples=20)
@given(seed=st.integers(0, 1000))
def test_the_gradient_is_that_of_the_loss(seed):
    rng = np.random.default_rng(seed)
    features = ngram_matrix([MOLECULES[i] for i in rng.integers(0, len(MOLECULES), 6)])
    fit = spelling._Likelihood(features, np.array([0, 0, 0, 1, 1, 1]), np.array([1, 0, 0, 1, 1, 0], bool))
    weights = rng.normal(size=features.shape[1]) / 10
    direction = np.zeros(features.shape[1])
    direction[features.indices[:5]] = 1
    step = 1e-5
    rise = (
        fit.loss_and_gradient(weights + step * direction)[0] - fit.loss_and_gradient(weights - step * direction)[0]
    ) / (2 * step)
    assert rise == pytest.approx(fit.loss_and_gradient(weights)[1] @ direction, rel=1e-3, abs=1e-5)


def test_the_model_learns_what_truths_look_like():
    model = SpellingModel([(["CCN"], [["CCO"], ["CCC"]])] * 10, features=ngram_matrix)
    scores = model.scores(["NCC", "OCC", "CCCC"])
    assert scores[0] > scores[1]
    assert scores[0] > scores[2]
