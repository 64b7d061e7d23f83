"""Names of temporary files that say whose they are, so that those of processes that were killed can be removed."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from specbridge_tools.interrupts import removed_at_end


@contextlib.contextmanager
def temporary_path(final: Path) -> Iterator[Path]:
    """Yield a path beside `final`, where nothing is yet; what is there at the end is removed.

    What ended processes of this machine have left for the same path is removed first. Another machine may share the
    folder, and its processes are not known here: what they left stays until they come again.
    """
    _remove_leftovers(final)
    path = final.with_name(f"{_prefix(final)}{os.getpid()}-{_started(os.getpid())}-{os.urandom(4).hex()}.tmp")
    with removed_at_end(path):
        yield path


def scratch_path() -> contextlib.AbstractContextManager[Path]:
    """As `temporary_path`, in the folder for the temporary files of all programs."""
    return temporary_path(Path(tempfile.gettempdir(), "specbridge"))


def _prefix(final: Path) -> str:
    return f".{final.name}.{_machine()}."


def _machine() -> str:
    """The host, and where there are containers on it the one whose processes this one can see."""
    namespace = ""
    with contextlib.suppress(OSError):
        namespace = "-" + os.readlink("/proc/self/ns/pid").strip("pid:[]")
    return socket.gethostname() + namespace


def _started(process: int) -> str:
    """When a process began, in ticks since the start of the machine; '' where that is not known, or there is none."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""


def _remove_leftovers(final: Path) -> None:
    """Remove the temporary files and folders that ended processes of this machine have left for a path."""
    prefix = _prefix(final)
    names: list[str] = []
    with contextlib.suppress(OSError):
        names = os.listdir(final.parent)
    for name in names:
        owner = name.removeprefix(prefix).partition(".")[0].split("-")
        if (
            name.startswith(prefix)
            and len(owner) == 3
            and owner[0].isdigit()
            and not _is_alive(int(owner[0]), owner[1])
        ):
            path = final.with_name(name)
            with contextlib.suppress(OSError):  # another user's, in a folder for all
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)


def _is_alive(process: int, started: str) -> bool:
    """Whether this process runs, and not another one that has its number now."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return not started or _started(process) in (started, "")
