"""What a library does in a fork stays there."""

import ctypes
import os
import sys

import pytest

from specbridge_tools import forks


def endless():
    while True:
        pass


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limits of a fork are those of Linux")
@pytest.mark.parametrize(
    ("function", "failure"),
    [
        (lambda: 1, ""),
        (lambda: 1 / 0, ""),
        (lambda: sys.exit(3), ""),
        (endless, "comes to no end"),
        (lambda: ctypes.string_at(0), "fails on it, signal 11"),
        (lambda: bytearray(1 << 36), "takes too much memory"),
    ],
    ids=["returns", "raises", "exits", "loops", "crashes", "grows"],
)
def test_how_a_function_fails(function, failure, monkeypatch):
    monkeypatch.setattr(forks, "_CPU_SECONDS", 1)
    assert forks.failure_of(function) == failure
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
