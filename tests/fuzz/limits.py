"""A command in a forked child, with limits of time and memory; what came of it."""

import contextlib
import dataclasses
import importlib
import os
import resource
import select
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

CPU_SECONDS = 10
# of the clock, on a machine that does other work too
SECONDS = 40
# beyond what the modules take that are loaded already
MEMORY = 1 << 30
_TRACEBACK = 99


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a command ended: its status (negative: the signal), what it wrote, and whether it had to be stopped."""

    status: int
    stdout: bytes
    stderr: bytes
    stopped: bool


def run_command(arguments: Sequence[str], folder: Path, *, limited: bool = True) -> Outcome:
    """Run a command, `["sb-info", "x.h5"]`, as a fork of this process in a folder; its output goes to files there."""
    child = os.fork()
    if child == 0:
        status = _TRACEBACK
        try:
            status = _be_command(arguments, folder, limited)
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)
    stopped = not _ended(child, SECONDS)
    if stopped:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    stopped = stopped or status in (-signal.SIGXCPU, 128 + signal.SIGXCPU)
    return Outcome(status, (folder / "stdout").read_bytes(), (folder / "stderr").read_bytes(), stopped)


def _ended(child: int, seconds: float) -> bool:
    descriptor = os.pidfd_open(child)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def _be_command(arguments: Sequence[str], folder: Path, limited: bool) -> int:
    os.setsid()
    os.chdir(folder)
    for number, name, flags in ((0, os.devnull, os.O_RDONLY), (1, "stdout", os.O_WRONLY), (2, "stderr", os.O_WRONLY)):
        descriptor = os.open(name, flags | os.O_CREAT | os.O_TRUNC if number else flags)
        os.dup2(descriptor, number)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limited:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
        most = _memory() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    name, *others = arguments
    module = importlib.import_module(f"specbridge_tools.cli.{name.removeprefix('sb-').replace('-', '_')}")
    sys.argv = list(arguments)
    try:
        module.main.main(others, prog_name=name)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def _memory() -> int:
    """Bytes of address space that this process has."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
