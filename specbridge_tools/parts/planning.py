"""What a task of an array job has to do: its shard of the records, or nothing, where its output is there already."""

import dataclasses
from pathlib import Path

from specbridge_tools.errors import MismatchError, UsageError
from specbridge_tools.parts.marks import read_part
from specbridge_tools.provenance import Part, sha256_values
from specbridge_tools.shards import WHOLE, RecordRange, require_file
from specbridge_tools.streams import STDIO, check_output, is_regular_file


@dataclasses.dataclass(frozen=True)
class Plan:
    """part: what the output will say of itself, None for nothing; record_range: the records to take, None for all."""

    part: Part | None = None
    record_range: RecordRange | None = None
    is_done: bool = False


def plan_part(output, *, source, digests, settings, count, shard=None, skip_existing=False, force=False):
    """What to do for `output` -> `Plan`; it `is_done` where `skip_existing` finds the same part.

    source    (name, path) of the records; what is made of a part (`provenance.Part`) is a part, too
    digests   what the output is made from, the source among it -> () -> SHA-256
    settings  plain values of the options that say what the output holds
    count     () -> number of records of the source
    shard     `Shard`, or None for all records

    Raises `MismatchError` where the output was made from something else, and `UsageError` where it is there and neither
    `skip_existing` nor `force` is set, or where the records cannot be counted.
    """
    check_output(output, force=force or skip_existing)
    name, path = source
    above = read_part(path) if is_regular_file(path) else None
    if above is None and shard is None and not skip_existing:
        return Plan()
    if above is not None and shard is not None:
        raise UsageError(f"is shard {above.shard} itself", where=path, advice="leave --shard out")
    require_file(path)
    digests = {key: digest for key, digest in digests.items() if above is None or key != name}
    made_from = {key: digest() for key, digest in digests.items()} | {"options": sha256_values(settings)}
    if above is not None:
        made_from |= {f"{name}.{key}": digest for key, digest in above.digests.items()}
    part = Part(shard or (above.shard if above else WHOLE), above.n_records if above else 0, made_from)
    if skip_existing and str(output) != STDIO and Path(output).exists() and _is_same(output, part, force):
        return Plan(is_done=True)
    if above is not None:
        return Plan(part)
    n_records = count()
    return Plan(dataclasses.replace(part, n_records=n_records), part.shard.record_range(n_records))


def _is_same(output, part, force):
    found = read_part(output)
    if found is None:
        problem, error = "exists already and does not say what it was made from", UsageError
    elif different := found.differences(part):
        problem, error = f"was made with other {', '.join(different)}", MismatchError
    elif found.shard != part.shard:
        problem, error = f"is shard {found.shard}", MismatchError
    else:
        return True
    if not force:
        raise error(problem, where=output, advice="remove it, or replace it with --force")
    return False
