"""The last layer of a transformer for its first token alone: nobody looks at what the others would become."""

import torch
from torch import nn
from torch.nn import functional


class FirstTokenLayer(nn.Module):
    """Stands in for the last layer of a BERT or RoBERTa; gives (b, 1, d), the same numbers as the layer's first token.

    Saves all but keys and values of that layer: a quarter of a network of three layers. For inputs without padding.
    """

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        # older releases of transformers wrap what a layer gives in a tuple
        width = layer.attention.self.query.in_features
        with torch.inference_mode():
            self._in_tuple = isinstance(layer(torch.zeros(1, 1, width)), tuple)

    def forward(self, hidden, *unused, **settings):
        """Hidden states (b, t, d) -> (b, 1, d); `settings` (masks of all ones, caches) change nothing."""
        attention = self.layer.attention
        inner = attention.self
        first = hidden[:, :1]  # (b, 1, d)
        query, key, value = (
            part.unflatten(-1, (inner.num_attention_heads, -1)).transpose(1, 2)  # (b, heads, t, d / heads)
            for part in (inner.query(first), inner.key(hidden), inner.value(hidden))
        )
        seen = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)  # (b, 1, d)
        mixed = attention.output(seen, first)
        result = self.layer.output(self.layer.intermediate(mixed), mixed)
        return (result,) if self._in_tuple else result


def keep_first_token(model):
    """Replace the last layer of a BERT-like encoder in place; other networks are left as they are."""
    config = model.config
    plain = getattr(config, "position_embedding_type", "absolute") in (None, "absolute")
    if config.model_type in ("bert", "roberta") and plain and not config.is_decoder:
        model.encoder.layer[-1] = FirstTokenLayer(model.encoder.layer[-1])
