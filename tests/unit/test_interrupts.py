"""Signals that announce the end."""

import os
import signal
import subprocess
import sys

import pytest

from specbridge_tools import interrupts


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    before = {number: signal.getsignal(number) for number in interrupts.ENDING}
    monkeypatch.setattr(interrupts, "_waiting", None)
    interrupts.end_on_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", interrupts.ENDING)
def test_the_first_ends_and_others_are_ignored(number):
    with pytest.raises(SystemExit) as ended:
        os.kill(os.getpid(), number)
    assert ended.value.code == 128 + number
    for other in interrupts.ENDING:
        os.kill(os.getpid(), other)


def test_what_is_held_comes_to_its_end():
    done = []

    def work():
        with interrupts.held():
            with interrupts.held():
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("inner")
            done.append("outer")

    with pytest.raises(SystemExit) as ended:
        work()
    assert done == ["inner", "outer"]
    assert ended.value.code == 128 + signal.SIGTERM


DROPPED = """
import os, signal, time
from specbridge_tools.interrupts import end_on_signals

class Ends:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0)

end_on_signals()
try:
    for _ in range(2):
        Ends()
    time.sleep(20)
    print("went on")
finally:
    print("cleaned up")
"""


def test_an_end_that_python_drops_is_raised_anew():
    done = subprocess.run([sys.executable, "-c", DROPPED], capture_output=True, text=True, timeout=15)
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stdout == "cleaned up\n"
    assert done.stderr == ""
