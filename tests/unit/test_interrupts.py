"""Signals that announce the end."""

import os
import signal
import subprocess
import sys
import time

import pytest

from specbridge_tools import interrupts


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    before = {number: signal.getsignal(number) for number in interrupts.ENDING}
    # a command that another test has called here would end this process in time
    watched = signal.set_wakeup_fd(-1)
    monkeypatch.setattr(interrupts, "_waiting", None)
    interrupts.end_on_signals()
    yield
    signal.set_wakeup_fd(watched)
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


BUSY = """
import ctypes, pathlib, sys, threading
from specbridge_tools.interrupts import end_in_time, end_on_signals, held, removed_at_end

def wait_in_cleanup():
    try:
        ctypes.CDLL(None).sleep(30)
    finally:
        threading.Event().wait()

def compute_in_c():
    # a comparison ends with a signal, and the next one begins without Python in between
    libc = ctypes.CDLL(None)
    libc.qsort(ctypes.create_string_buffer(4000), 1000, 4, libc.pause)

end_on_signals()
end_in_time()
temporary = pathlib.Path(sys.argv[2])
with removed_at_end(temporary):
    temporary.touch()
    pathlib.Path(f"{temporary}.runs").mkdir()
    if sys.argv[1] == "held":
        with held():
            print("ready", flush=True)
            threading.Event().wait(5)
            print("done", flush=True)
    print("ready", flush=True)
    {"c": compute_in_c, "cleanup": wait_in_cleanup}[sys.argv[1]]()
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", interrupts.ENDING)
@pytest.mark.parametrize("what", ["c", "cleanup", "held"])
def test_the_end_comes_in_time_whatever_runs(what, number, tmp_path):
    command = [sys.executable, "-c", BUSY, what, str(tmp_path / "out.tmp")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        begin = time.monotonic()
        process.send_signal(number)
        rest, _ = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert rest == (b"done\n" if what == "held" else b"")
    assert time.monotonic() - begin < (8 if what == "held" else 5)
    assert list(tmp_path.iterdir()) == []


def test_what_is_temporary_goes_and_nothing_else(tmp_path):
    kept = [tmp_path / name for name in ("out", "a[b].tmpx", "ab.tmp.runs")]
    for path in kept:
        path.touch()
    with interrupts.removed_at_end(tmp_path / "a[b].tmp"):
        (tmp_path / "a[b].tmp").touch()
        (tmp_path / "a[b].tmp.x.runs").mkdir()
    assert sorted(tmp_path.iterdir()) == sorted(kept)
