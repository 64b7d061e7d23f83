import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

from specbridge_tools.encoders.first_token import FirstTokenLayer, keep_first_token

SIZES = {
    "vocab_size": 30,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 40,
}


@pytest.mark.parametrize(("config", "network"), [(BertConfig, BertModel), (RobertaConfig, RobertaModel)])
def test_the_first_token_is_that_of_the_whole_layer(config, network):
    torch.manual_seed(0)
    model = network(config(**SIZES), add_pooling_layer=False).eval()
    numbers = torch.randint(3, 30, (5, 11))
    with torch.inference_mode():
        expected = model(input_ids=numbers, attention_mask=torch.ones_like(numbers)).last_hidden_state[:, :1]
        keep_first_token(model)
        found = model(input_ids=numbers, attention_mask=torch.ones_like(numbers)).last_hidden_state
    assert found.shape == (5, 1, 16)
    assert torch.allclose(found, expected, atol=1e-6)


def test_layers_that_give_tuples_stay_so():
    layer = RobertaModel(RobertaConfig(**SIZES)).eval().encoder.layer[-1]

    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention, self.intermediate, self.output = layer.attention, layer.intermediate, layer.output

        def forward(self, hidden):
            return (layer(hidden),)

    hidden = torch.randn(2, 7, 16)
    with torch.inference_mode():
        (found,) = FirstTokenLayer(Wrapped())(hidden)
        assert torch.allclose(found, layer(hidden)[:, :1], atol=1e-6)


def test_other_networks_are_left_alone():
    model = RobertaModel(RobertaConfig(**SIZES, is_decoder=True)).eval()
    last = model.encoder.layer[-1]
    keep_first_token(model)
    assert model.encoder.layer[-1] is last
