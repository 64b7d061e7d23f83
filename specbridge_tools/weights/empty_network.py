"""Networks whose weights come from a file, made without drawing others first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

# in place: what the layers of torch call to reset their parameters, and what that calls
_SETS_VALUES = frozenset(
    {
        torch.nn.init.constant_,
        torch.nn.init.kaiming_uniform_,
        torch.nn.init.normal_,
        torch.nn.init.uniform_,
        torch.Tensor.fill_,
        torch.Tensor.normal_,
        torch.Tensor.uniform_,
        torch.Tensor.zero_,
    }
)


class WithoutInitialValues(TorchFunctionMode):
    """Context in which `nn.init` and the layers of `torch.nn` leave new tensors as they are.

    For networks all of whose weights are read from a file: to draw 96 million numbers takes seconds, and to do as if,
    on the device `meta`, imports torch's compiler, which takes longer. `torch.nn.utils.skip_init` does the same for one
    layer at a time.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """The tensor as it is for what sets values in place, else what the function returns."""
        if func in _SETS_VALUES:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))
