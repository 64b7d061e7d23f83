"""The files of a split: all of them appear, or none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from specbridge_tools.errors import UsageError
from specbridge_tools.streams import STDIO, check_output, output_path


class PartOutputs:
    """Text files named `PREFIX.NAME.SUFFIX`, or `NAME.SUFFIX` in the folder that the prefix names."""

    def __init__(self, stack: contextlib.ExitStack, prefix: str | os.PathLike[str], suffix: str, force: bool) -> None:
        self._stack = stack
        self._prefix = str(prefix)
        self._suffix = suffix
        self._force = force

    def path(self, name: str) -> Path:
        """The final path of the part `name`."""
        if self._prefix.endswith("/") or Path(self._prefix).is_dir():
            return Path(self._prefix) / f"{name}.{self._suffix}"
        return Path(f"{self._prefix}.{name}.{self._suffix}")

    def check(self, name: str) -> None:
        """Refuse a part that exists already, or whose folder does not exist; call it before long work."""
        check_output(self.path(name), force=self._force)

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[TextIO]:
        """Yield a text file (UTF-8, Unix line ends) for the part; it gets its name when all are done."""
        temporary = self._stack.enter_context(output_path(self.path(name), force=self._force))
        with open(temporary, "w", encoding="utf-8", newline="\n") as stream:
            yield stream


@contextlib.contextmanager
def part_outputs(prefix: str | os.PathLike[str], suffix: str, *, force: bool = False) -> Iterator[PartOutputs]:
    """Yield `PartOutputs`; after an exception no part stays behind. A prefix that ends in `/` makes its folder."""
    if str(prefix) == STDIO:
        raise UsageError("parts cannot go to stdout", advice="give -o DIR/PREFIX")
    if str(prefix).endswith("/"):
        Path(prefix).mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        yield PartOutputs(stack, prefix, suffix, force)
