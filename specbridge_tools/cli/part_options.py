"""The options of a command that does one task of an array job."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from specbridge_tools.cli.command import closing_line
from specbridge_tools.cli.options import Function
from specbridge_tools.cli.reading_options import RULES

if TYPE_CHECKING:
    from specbridge_tools.parts.planning import Plan
    from specbridge_tools.shards import Shard

_NEW = RULES | {"prior", "counts", "isotopes"}
# options that say how something is computed or reported, not what comes out
_NOT_OF_THE_OUTPUT = frozenset(
    {"output", "force", "shard", "skip_existing", "rejects", "strict", "threads", "device", "allow_download", "quiet"}
    | {"explain", "explain_top", "encoder", "allow_empty"}
)


def _parsed_shard(context: click.Context, option: click.Parameter, text: str | None) -> Shard | None:
    if text is None:
        return None
    from specbridge_tools.shards import Shard

    return Shard.parse(text)


def part_options(function: Function) -> Function:
    """Decorator: `--shard` and `--skip-existing`."""
    function = click.option(
        "--skip-existing",
        is_flag=True,
        help="Do nothing if the output exists and was made from the same input by the same version; else refuse.",
    )(function)
    return click.option(
        "--shard",
        metavar="I/N",
        callback=_parsed_shard,
        help="Take the I-th of N stretches of the records, I from 1; sb-merge puts the N outputs together.",
    )(function)


def is_part(shard: Shard | None) -> bool:
    """Whether a shard is less than the whole: that none of its records can be used says nothing of the whole."""
    return shard is not None and shard.count > 1


def make_plan(
    output: str,
    *,
    source: str,
    count: Callable[[], int],
    files: Iterable[str],
    source_path: str | None = None,
    digests: Mapping[str, Callable[[], str]] | None = None,
) -> Plan:
    """The part of the work that the running command has to do.

    Args:
        output: Path, or `-`.
        source: Name of the parameter that is the file with the records.
        count: Returns the number of these records.
        files: Names of the parameters that are files which the output depends on.
        source_path: Of that file, where the parameter holds several: the first.
        digests: More of what it depends on: name -> function that returns its SHA-256.
    """
    from specbridge_tools import pretrained
    from specbridge_tools.parts.planning import plan_part
    from specbridge_tools.provenance import sha256_file

    context = click.get_current_context()
    values = context.params
    if values.get("output_format") == "jsonl" and (values["shard"] or values["skip_existing"]):
        raise click.UsageError("--shard and --skip-existing need --format tsv, which records what it was made from")
    known = dict(digests or {})
    files = tuple(files)
    for name in files:
        path = values[name]
        if name == "model" and path is None:
            path = pretrained.MODEL
        if path is not None and name not in known:
            known[name] = functools.partial(sha256_file, path)
    if "reference" in values:
        known["reference"] = functools.partial(_references_digest, values["reference"])
    passed = {*_NOT_OF_THE_OUTPUT, *files, *known}
    for option in context.command.params:
        # what is new counts where it is not the default: parts that were made before it still go together
        if option.name in _NEW and values[option.name] == option.type_cast_value(context, option.get_default(context)):
            passed.add(option.name)
    settings = {name: value for name, value in values.items() if name not in passed}
    return plan_part(
        output,
        source=(source, source_path or values[source]),
        digests=known,
        settings=settings,
        count=count,
        shard=values["shard"],
        skip_existing=values["skip_existing"],
        force=values["force"],
    )


def _references_digest(paths: Sequence[str]) -> str:
    from specbridge_tools import pretrained
    from specbridge_tools.provenance import sha256_file, sha256_text

    shipped = [str(pretrained.REFERENCE)] if pretrained.REFERENCE.is_file() else []
    return sha256_text(" ".join(map(sha256_file, [] if "none" in paths else [*paths, *shipped])))


def say_done(output: str, *, quiet: bool) -> None:
    """The closing line where there was nothing to do."""
    closing_line(f"{output} exists already, made from the same input", quiet=quiet)
