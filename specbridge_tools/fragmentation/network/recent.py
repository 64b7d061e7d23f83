"""What was made last, as long as it fits into so many bytes."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class RecentValues(Generic[Value]):
    """Values by name; those that were asked for least recently give way.

    Attributes:
        n_bytes: What the values take.
    """

    def __init__(self, make: Callable[[str], Value], size: Callable[[Value], int], *, most: int) -> None:
        """Remember what `make` makes of a name, of which each has `size` bytes, up to `most` bytes in all."""
        self.n_bytes = 0
        self._make, self._size, self._most = make, size, most
        self._values: collections.OrderedDict[str, Value] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, name: str) -> Value:
        """The value of a name, made where it is not remembered; what `make` raises is raised."""
        if name in self._values:
            self._values.move_to_end(name)
            return self._values[name]
        value = self._values[name] = self._make(name)
        self.n_bytes += self._size(value)
        while self.n_bytes > self._most and len(self._values) > 1:
            self.n_bytes -= self._size(self._values.popitem(last=False)[1])
        return value
