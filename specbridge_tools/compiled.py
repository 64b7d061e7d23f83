"""Loops that numba compiles: at the first use on a machine, then kept on disk.

They are kept beside the module, or where that cannot be written in the user's cache folder (`NUMBA_CACHE_DIR` names
another); elsewhere they are compiled in every process. numba unpickles what it keeps, and takes settings from a file in
the current folder, so that others must not be able to prepare either.
"""

from __future__ import annotations

import functools
import importlib
import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from specbridge_tools.errors import UsageError

Function = TypeVar("Function", bound=Callable[..., object])
_SETTINGS = Path(".numba_config.yaml")
_PACKAGE = Path(__file__).resolve().parent
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def compiled(function: Function) -> Function:
    """The function, compiled for the types of its arguments when it is first called with them.

    Compiled functions that it calls stand in its own module: numba looks at no other for changes.

    What takes long to compile is left out where a loop does: an array assigned to a part of another (3 s of the first
    use), `searchsorted`, `concatenate`, `repeat`, `cumsum`, and rows that are unpacked. What is called with a plain 0
    is compiled once more for that number; with `np.int64(0)` it is not.
    """
    # no second wrapper, for calls from C: a twentieth of what there is to compile
    options = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    compile_it = functools.partial(_numba().njit, function, **options)
    try:
        kept = _with_cache(compile_it)
    except (RuntimeError, OSError):  # there is no folder to keep it in
        return cast(Function, compile_it())
    folder = Path(kept.stats.cache_path).resolve()
    return cast(Function, kept if folder.is_relative_to(_PACKAGE) or is_private(folder) else compile_it())


@functools.cache
def _numba() -> Any:
    """The library. Raises `UsageError` where a file in the current folder would change what it does."""
    if _SETTINGS.exists():
        raise UsageError(
            "a file of this name in the current folder changes what is compiled, and where that is kept",
            where=str(_SETTINGS),
            advice="start the command in another folder, or move the file away",
        )
    # numba tells every step of a compilation
    logging.getLogger("numba").setLevel(logging.WARNING)
    return importlib.import_module("numba")


def _with_cache(compile_it: Callable[..., Any]) -> Any:
    config = _numba().core.config
    before, config.CACHE_DIR = config.CACHE_DIR, _folder()
    try:
        return compile_it(cache=True)
    finally:
        config.CACHE_DIR = before


@functools.cache
def _folder() -> str:
    """Where compiled loops are kept; empty for beside their modules."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    if named or os.access(_PACKAGE, os.W_OK):
        return named or ""
    from platformdirs import user_cache_path

    folder = user_cache_path("specbridge_tools", appauthor=False) / "compiled"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(folder)


def is_private(folder: Path) -> bool:
    """Whether nobody but the user and root may have put anything into a folder that exists."""
    for step in reversed([folder, *folder.parents]):
        status = step.stat()
        shared = status.st_mode & _WRITABLE_BY_OTHERS and not (status.st_mode & stat.S_ISVTX and step != folder)
        if shared or status.st_uid not in (0, os.geteuid()):
            return False
        if status.st_uid == os.geteuid() and not status.st_mode & _OPEN_TO_OTHERS:
            return True  # nobody else comes into it
    return True
