"""BERT and RoBERTa without padding, against transformers."""

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel, RobertaConfig, RobertaModel

from specbridge_tools.encoders.molecular.chemberta import packing as packs
from specbridge_tools.encoders.molecular.chemberta.packed_bert import PackedBert
from specbridge_tools.encoders.molecular.chemberta.packing import encode_packed

LENGTHS = (11, 2, 39, 11, 3, 11, 1, 20, 39, 5, 8, 37)
NETWORKS = [(BertConfig, BertModel), (RobertaConfig, RobertaModel)]


def model(config=RobertaConfig, network=RobertaModel, *, layers=3, inner=24, width=16, **more):
    torch.manual_seed(0)
    sizes = {"vocab_size": 30, "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": 4}
    sizes |= {"intermediate_size": inner, "max_position_embeddings": 44, **more}
    made = network(config(**sizes), add_pooling_layer=False)
    for parameter in made.parameters():  # biases and norms too, as spread as trained ones
        torch.nn.init.normal_(parameter, std=0.3)
    return made.eval()


def sequences(lengths=LENGTHS):
    rng = np.random.default_rng(0)
    return [rng.integers(3, 30, length).tolist() for length in lengths]


def expected(network, tokens, pooling):
    with torch.inference_mode():
        hidden = [network(input_ids=torch.tensor([row])).last_hidden_state[0] for row in tokens]
    return np.stack([(rows[0] if pooling == "cls" else rows.mean(0)).numpy() for rows in hidden])


@pytest.mark.parametrize("pooling", ["cls", "mean"])
@pytest.mark.parametrize("n_layers", [1, 3])
@pytest.mark.parametrize(("config", "network"), NETWORKS)
def test_vectors_are_those_of_the_network(monkeypatch, config, network, n_layers, pooling):
    monkeypatch.setattr(packs, "_TOKENS", 60)
    wanted = expected(model(config, network, layers=n_layers), sequences(), pooling)
    packed = PackedBert(model(config, network, layers=n_layers))
    found = encode_packed(packed, sequences(), pooling=pooling, at_once=64)
    assert found.dtype == np.float32
    assert found == pytest.approx(wanted, abs=1e-5)


@pytest.mark.bytes
@pytest.mark.parametrize("pooling", ["cls", "mean"])
@pytest.mark.parametrize("inner", [24, 464])
def test_neighbours_packs_and_threads_change_no_bit(monkeypatch, inner, pooling):
    packed = PackedBert(model(inner=inner, width=48))
    tokens = sequences(LENGTHS * 3)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        together = encode_packed(packed, tokens, pooling=pooling, at_once=64)
        few = encode_packed(packed, tokens[::-1], pooling=pooling, at_once=3)[::-1]
        torch.set_num_threads(1)
        alone = [encode_packed(packed, [row], pooling=pooling, at_once=64) for row in tokens]
        monkeypatch.setattr(packs, "_TOKENS", 7)
        small = encode_packed(packed, tokens, pooling=pooling, at_once=64)
    finally:
        torch.set_num_threads(before)
    for other in (few, np.concatenate(alone), small):
        np.testing.assert_array_equal(together, other)


@pytest.mark.parametrize("activation", ["relu", "gelu_new"])
def test_other_activations_stay(activation):
    wanted = expected(model(hidden_act=activation), sequences(), "cls")
    found = encode_packed(PackedBert(model(hidden_act=activation)), sequences(), pooling="cls", at_once=64)
    assert found == pytest.approx(wanted, abs=1e-5)


def test_a_padding_token_inside_has_no_place_of_its_own():
    tokens = [[0, 5, 1, 6, 1, 7, 2]]  # 1 is padding
    packed = PackedBert(model())
    assert packed.places(tokens[0]).tolist() == [2, 3, 1, 4, 1, 5, 6]
    found = encode_packed(packed, tokens, pooling="mean", at_once=64)
    assert found == pytest.approx(expected(model(), tokens, "mean"), abs=1e-5)


def test_packs_hold_no_more_than_they_may(monkeypatch):
    monkeypatch.setattr(packs, "_TOKENS", 20)
    lengths = np.array([3, 3, 4, 8, 9, 9, 11, 25, 30])
    found = packs._packs(lengths, 3)
    assert [lengths[pack].tolist() for pack in found] == [[3, 3, 4], [8, 9], [9, 11], [25], [30]]


def test_networks_that_it_knows():
    assert all(PackedBert.reads(model(config, network)) for config, network in NETWORKS)
    sizes = {"vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 4}
    assert not PackedBert.reads(RobertaModel(RobertaConfig(**sizes, is_decoder=True)))
    assert not PackedBert.reads(DistilBertModel(DistilBertConfig(vocab_size=30, dim=16, n_layers=1, n_heads=4)))
