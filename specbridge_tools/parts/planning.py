"""What a task of an array job has to do: its shard of the records, or nothing, where its output is there already."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from specbridge_tools.errors import MismatchError, UsageError
from specbridge_tools.parts.marks import read_part
from specbridge_tools.provenance import Part, sha256_values
from specbridge_tools.shards import WHOLE, RecordRange, Shard, require_file
from specbridge_tools.streams import STDIO, check_output, is_regular_file


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a task does.

    Attributes:
        part: What the output will say of itself, None for nothing.
        record_range: The records to take, None for all.
        is_done: Whether there is nothing to do.
    """

    part: Part | None = None
    record_range: RecordRange | None = None
    is_done: bool = False


def plan_part(
    output: str | os.PathLike[str],
    *,
    source: tuple[str, str | os.PathLike[str]],
    digests: Mapping[str, Callable[[], str]],
    settings: Mapping[str, object],
    count: Callable[[], int],
    shard: Shard | None = None,
    skip_existing: bool = False,
    force: bool = False,
) -> Plan:
    """Decide what to do for an output.

    Args:
        output: Path or `-`.
        source: Name and path of the records; an output made from a part (`provenance.Part`) is a part, too.
        digests: What the output is made from, the source included: name -> function that returns the SHA-256.
        settings: Plain values of the options that decide what the output holds.
        count: Returns the number of records of the source.
        shard: The records to take, None for all.
        skip_existing: There is nothing to do where the output exists and is the same part.
        force: Replace an output that exists.

    Raises:
        MismatchError: Where the output was made from something else.
        UsageError: Where it exists and neither `skip_existing` nor `force` is set, or the records cannot be counted.
    """
    check_output(output, force=force or skip_existing)
    name, path = source
    parent = read_part(path) if is_regular_file(path) else None
    if parent is None and shard is None and not skip_existing:
        return Plan()
    if parent is not None and shard is not None:
        raise UsageError(f"is already shard {parent.shard}", where=path, advice="leave --shard out")
    require_file(path)
    made_from = {key: digest() for key, digest in digests.items() if parent is None or key != name}
    made_from["options"] = sha256_values(settings)
    if parent is not None:
        made_from |= {f"{name}.{key}": digest for key, digest in parent.digests.items()}
    part = Part(shard or (parent.shard if parent else WHOLE), parent.n_records if parent else 0, made_from)
    if skip_existing and str(output) != STDIO and Path(output).exists() and _is_same(output, part, force):
        return Plan(is_done=True)
    if parent is not None:
        return Plan(part)
    n_records = count()
    return Plan(dataclasses.replace(part, n_records=n_records), part.shard.record_range(n_records))


def _is_same(output: str | os.PathLike[str], part: Part, force: bool) -> bool:
    existing = read_part(output)
    error: type[MismatchError] | type[UsageError] = MismatchError
    if existing is None:
        problem, error = "exists already and does not say what it was made from", UsageError
    elif different := existing.differences(part):
        problem = f"was not made with the same {', '.join(different)}"
    elif existing.shard != part.shard:
        problem = f"is shard {existing.shard}, not {part.shard}"
    else:
        return True
    if not force:
        raise error(problem, where=output, advice="remove it, or replace it with --force")
    return False
