"""The files of a stage of the training, in one folder, and what they depend on.

NAME.safetensors is the ranker of a finished stage, NAME.safetensors.state the state of an unfinished one after its last
epoch, and NAME.json, which is written before the stage begins, says what both depend on.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from specbridge_tools.errors import DataError, FormatError, UsageError
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.ranker_file import load_ranker, save_ranker
from specbridge_tools.fragmentation.network.weight_shapes import Weights
from specbridge_tools.fragmentation.training.examples import MeasuredMolecule
from specbridge_tools.fragmentation.training.recipe import GIVEN, Stage
from specbridge_tools.provenance import sha256_arrays, sha256_text
from specbridge_tools.streams import output_path, output_text

FORMAT = "specbridge-ranker-stage"
FORMAT_VERSION = 1
FilePath = str | os.PathLike[str]
_ADVICE = "remove it, or name another folder"


class StageFiles:
    """Those of one stage.

    Attributes:
        ranker: Path of the finished one.
        state: Path of the state of an unfinished one.
        description: Path of what both depend on.
    """

    def __init__(self, folder: FilePath, name: str) -> None:
        self.ranker = Path(folder, f"{name}.safetensors")
        self.state = Path(folder, f"{name}.safetensors.state")
        self.description = Path(folder, f"{name}.json")

    @property
    def is_finished(self) -> bool:
        return self.ranker.exists()

    def begin(self, description: Mapping[str, Any]) -> None:
        """Write what the stage depends on, unless it was begun before.

        Raises:
            FormatError: Where there are files of the stage that depend on something else, or do not say on what.
        """
        there = [path for path in (self.ranker, self.state) if path.exists()]
        if not there:
            write_description(description, self.description)
            return
        if not self.description.exists():
            raise FormatError(
                f"does not say what it was made from: there is no {self.description.name} beside it",
                where=there[0],
                advice=_ADVICE,
            )
        found, expected = read_description(self.description), _plain(description)
        differing = _differing(found, expected)
        if differing:
            raise FormatError(
                f"was made with other values of {', '.join(differing)}",
                where=there[0],
                advice=f"remove it and {self.description.name}, or name another folder",
            )

    def finish(self, ranker: Ranker) -> None:
        """Write the ranker; then the state is no longer needed."""
        with output_path(self.ranker, force=True) as temporary:
            save_ranker(ranker, temporary)
        self.state.unlink(missing_ok=True)

    def weights(self) -> Weights:
        """The network of the finished stage."""
        return load_ranker(self.ranker).networks[0]


def make_folder(folder: FilePath) -> None:
    """Make the folder, unless it is there.

    Raises:
        UsageError: Where it cannot be made.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot be made ({error.strerror})", where=folder, advice="name another folder") from error


def stage_description(
    stage: Stage,
    recipe: Sequence[Stage],
    molecules: Mapping[str, MeasuredMolecule],
    *,
    start: Weights | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What the files of a stage depend on, as plain values.

    Args:
        stage: One of `recipe`.
        recipe: All stages; those on which this one rests are described with it.
        molecules: It learns from.
        start: The network that it starts from, where that is GIVEN.
        inputs: Further plain values that make a difference, such as where the decoys come from.
    """
    earlier = {each.name: each for each in recipe}

    def described(one: Stage) -> dict[str, Any]:
        values: dict[str, Any] = dataclasses.asdict(one)
        values["widths"] = one.widths._asdict()
        values["teachers"] = {name: described(earlier[name]) for name in one.teachers}
        if one.start_from == GIVEN:
            values["start_from"] = sha256_arrays(start or {})
        elif one.start_from is not None:
            values["start_from"] = described(earlier[one.start_from])
        return values

    listed = [f"{key} {len(molecules[key].spectra)}" for key in sorted(molecules)]
    return _plain(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "stage": described(stage),
            "molecules": {"count": len(molecules), "sha256": sha256_text("\n".join(listed))},
            "inputs": dict(inputs or {}),
        }
    )


def write_description(description: Mapping[str, Any], path: FilePath) -> None:
    """Write what a stage depends on."""
    with output_text(path, force=True) as stream:
        json.dump(description, stream, indent=1, sort_keys=True)
        stream.write("\n")


def read_description(path: FilePath) -> dict[str, Any]:
    """What a stage depends on.

    Raises:
        DataError: Where the file cannot be read.
        FormatError: Where it is none of this kind.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=path) from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"is no JSON ({error})", where=path, advice=_ADVICE) from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise FormatError(f"is no {FORMAT}", where=path, advice=_ADVICE)
    return values


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same as it is read from a file."""
    plain: dict[str, Any] = json.loads(json.dumps(values))
    return plain


def _differing(found: object, expected: object, name: str = "") -> list[str]:
    """The names of the values that differ, such as `stage.training.epochs`."""
    if not (isinstance(found, dict) and isinstance(expected, dict)):
        return [name] if found != expected else []
    names = sorted({*found, *expected})
    return [
        each
        for key in names
        for each in _differing(found.get(key), expected.get(key), f"{name}.{key}" if name else str(key))
    ]
