"""Loops that numba compiles: at the first use on a machine, then kept on disk.

They are kept beside the module, or where that cannot be written in the user's cache folder (`NUMBA_CACHE_DIR` names
another); where nothing can be written they are compiled in every process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])

# numba tells every step of a compilation
logging.getLogger("numba").setLevel(logging.WARNING)


def compiled(function: Function) -> Function:
    """The function, compiled for the types of its arguments when it is first called with them.

    Compiled functions that it calls stand in its own module: numba looks at no other for changes.
    """
    try:
        return cast(Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))
    except RuntimeError:  # there is no folder to keep it in
        return cast(Function, numba.njit(function, nogil=True, error_model="numpy"))
