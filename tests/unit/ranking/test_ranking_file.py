import numpy as np
import pytest

from specbridge_tools.errors import FormatError, MismatchError
from specbridge_tools.ranking.answer_sets import QUANTILES
from specbridge_tools.ranking.features import COLUMNS
from specbridge_tools.ranking.meaning import PARAMETERS
from specbridge_tools.ranking.network import expected_shapes
from specbridge_tools.ranking.ranking import Ranking
from specbridge_tools.ranking.ranking_file import PREFIX, add_ranking, find_ranking
from specbridge_tools.weights.tensor_file import read_tensor_file, write_tensor_file

MEANING = {**dict.fromkeys(PARAMETERS, 0.5), "coverage": [0.0] * QUANTILES}


def network(seed):
    rng = np.random.default_rng(seed)
    weights = {
        name: rng.normal(size=shape).astype(np.float32) for name, shape in expected_shapes(len(COLUMNS), 4).items()
    }
    return weights | {"spread": np.abs(weights["spread"]) + np.float32(0.1)}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "plain.safetensors"
    write_tensor_file({"encoder.weight": np.ones(3, np.float32)}, {"format": "specbridge-model"}, path)
    return path


@pytest.fixture
def ranked(tmp_path, model):
    path = tmp_path / "ranked.safetensors"
    add_ranking(Ranking([network(0), network(1)], {"single": MEANING, "group": MEANING}), model, path)
    return path


def test_what_is_written_is_read_and_nothing_else_changes(ranked, model, make_evidence):
    found = find_ranking(ranked)
    assert len(found.networks) == 2
    for name, value in network(1).items():
        np.testing.assert_array_equal(found.networks[1][name], value)
    assert found.calibration(1) == MEANING
    assert len(found.score(make_evidence(7, 0)).score) == 7
    header, tensors = read_tensor_file(ranked)
    assert header["format"] == "specbridge-model"
    np.testing.assert_array_equal(tensors["encoder.weight"], np.ones(3))
    assert find_ranking(model) is None


def test_a_ranking_without_networks(model, tmp_path, make_evidence):
    path, linear = tmp_path / "sum.safetensors", {"cosine": 1.0, "same_ion": 4.0}
    add_ranking(Ranking([], {"single": {**MEANING, "linear": linear}, "group": MEANING}), model, path)
    found, one = find_ranking(path), make_evidence(5, 3)
    assert found.networks == []
    assert found.linear(1) == linear
    assert "same_ion" in found.linear(2)
    np.testing.assert_allclose(found.score(one).score, one.values["cosine"] + 4 * one.values["same_ion"], atol=2e-5)


@pytest.mark.parametrize(
    ("linear", "message"),
    [({"cosine": "1"}, "linear sum single"), ({"name": 1.0}, "unknown 'name'"), ([1.0], "linear")],
)
def test_a_linear_sum_that_cannot_be(model, tmp_path, linear, message):
    add_ranking(Ranking([], {"single": {**MEANING, "linear": linear}, "group": MEANING}), model, tmp_path / "no")
    with pytest.raises(FormatError, match=message):
        find_ranking(tmp_path / "no")


def test_another_ranking_takes_the_place_of_the_first(ranked, tmp_path):
    add_ranking(Ranking([network(5)], {"single": MEANING, "group": MEANING}), ranked, tmp_path / "again.safetensors")
    assert len(find_ranking(tmp_path / "again.safetensors").networks) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": ["cosine"]}, "reads other columns"),
        ({"format_version": 9}, "version 9, this release reads 1"),
        ({"width": -1}, "width in its header is -1"),
        ({"networks": 0}, r"left over \(ranking.0"),
        ({"single": {}}, "the calibration single of its ranking has no listed_scale"),
        ({"single": {**MEANING, "none": float("inf")}}, "no set of finite numbers"),
        ({"single": {**MEANING, "coverage": [0.0]}}, "no list of 101 numbers"),
        ({"group": None}, "group in its header is None"),
    ],
)
def test_headers_are_checked(ranked, change, message):
    header, tensors = read_tensor_file(ranked)
    header["ranking"] |= change
    write_tensor_file(tensors, header, ranked)
    with pytest.raises((FormatError, MismatchError), match=message):
        find_ranking(ranked)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_tensors_are_checked(ranked, value):
    header, tensors = read_tensor_file(ranked)
    tensors[f"{PREFIX}0.linear"][0] = value
    write_tensor_file(tensors, header, ranked)
    with pytest.raises(FormatError, match="no finite numbers"):
        find_ranking(ranked)


def test_a_spread_of_0_is_refused(ranked):
    header, tensors = read_tensor_file(ranked)
    tensors[f"{PREFIX}0.spread"][0] = 0
    write_tensor_file(tensors, header, ranked)
    with pytest.raises(FormatError, match="spread"):
        find_ranking(ranked)
