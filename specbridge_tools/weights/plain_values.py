"""Plain values out of the header of a file that anyone may have made, checked before they are used."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from specbridge_tools.errors import FormatError

Config = TypeVar("Config")
Value = TypeVar("Value", bound="bool | int | float | str | dict[str, Any]")

_MOST = 1 << 24  # no size, count or width comes near it
_MOST_LAYERS = 256
_ADVICE = "copy the file again, or make it again"
_NAMES: dict[type, str] = {bool: "true or false", int: "a whole number from 0", float: "a number from 0"}
_NAMES |= {str: "a text", dict: "an object"}


def value_of(values: Mapping[str, Any], name: str, kind: type[Value], where: object, *, most: int = _MOST) -> Value:
    """A value of a header, of this type; numbers are finite, not negative, and at most `most`.

    Raises:
        FormatError: Where it is missing, of another type or out of range.
    """
    if name not in values:
        raise FormatError(f"its header has no {name}", where=where, advice=_ADVICE)
    value = values[name]
    types = (int, float) if kind is float else (kind,)
    fits = type(value) in types
    if fits and type(value) in (int, float):
        fits = 0 <= value <= (_MOST_LAYERS if name.endswith(("depth", "layers")) else most)
    if not fits:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else f"{shown[:60]}..."
        raise FormatError(f"{name} in its header is {shown}, expected {_NAMES[kind]}", where=where, advice=_ADVICE)
    checked: Value = value
    return checked


def config_of(kind: type[Config], values: Mapping[str, Any], where: object) -> Config:
    """A dataclass of plain values, made of those of a header; fields with a default may be missing.

    Raises:
        FormatError: Where a value is missing, not known, of another type or out of range.
    """
    types = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]  # a dataclass
    unknown = [name for name in values if name not in fields]
    if unknown:
        raise FormatError(f"its header has {unknown[0]!r}, which is not known", where=where, advice=_ADVICE)
    needed = [name for name, field in fields.items() if name in values or field.default is dataclasses.MISSING]
    return kind(**{name: value_of(values, name, _plain_type(types[name]), where) for name in needed})


def _plain_type(annotation: Any) -> type[Any]:
    origin = typing.get_origin(annotation)
    found: type[Any] = origin if isinstance(origin, type) else annotation
    return found


def finite_numbers(values: Any, what: str, where: object) -> dict[str, float] | None:
    """Numbers by name, such as a calibration, or None where there are none.

    Raises:
        FormatError: Where it is anything else, or a number is not finite.
    """
    if values is None:
        return None
    if not isinstance(values, dict) or not all(
        type(value) in (int, float) and math.isfinite(value) and abs(value) <= _MOST for value in values.values()
    ):
        raise FormatError(f"{what} in its header is no set of finite numbers", where=where, advice=_ADVICE)
    return values
