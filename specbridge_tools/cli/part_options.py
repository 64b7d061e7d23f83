"""The options of a command that does one task of an array job."""

import click

from specbridge_tools.cli.command import closing_line

# options that say how something is computed or told, not what comes out
_NOT_OF_THE_OUTPUT = frozenset(
    {"output", "force", "shard", "skip_existing", "rejects", "strict", "threads", "device", "allow_download", "quiet"}
    | {"explain", "explain_top", "encoder"}
)


def _parsed_shard(context, option, text):
    if text is None:
        return None
    from specbridge_tools.shards import Shard

    return Shard.parse(text)


def part_options(function):
    """Decorator: `--shard` and `--skip-existing`."""
    function = click.option(
        "--skip-existing",
        is_flag=True,
        help="Do nothing where the output is there, made from the same by the same version; else refuse.",
    )(function)
    return click.option(
        "--shard",
        metavar="I/N",
        callback=_parsed_shard,
        help="Take the I-th of N stretches of the records, I from 1; sb-merge makes the whole of the N outputs.",
    )(function)


def make_plan(output, *, source, count, files, digests=None):
    """`parts.planning.Plan` of the command that runs.

    source  name of the parameter that is the file with the records; count: () -> their number
    files   names of the parameters that are files which the output depends on; digests: more, name -> () -> SHA-256
    """
    from specbridge_tools import pretrained
    from specbridge_tools.parts.planning import plan_part
    from specbridge_tools.provenance import sha256_file

    values = click.get_current_context().params
    if values.get("output_format") == "jsonl" and (values["shard"] or values["skip_existing"]):
        raise click.UsageError("--shard and --skip-existing go with --format tsv, which says what it was made from")
    known = dict(digests or {})
    for name in files:
        path = values[name]
        if name == "model" and path is None:
            path = pretrained.MODEL
        if path is not None and name not in known:
            known[name] = lambda path=path: sha256_file(path)
    settings = {
        name: value for name, value in values.items() if name not in _NOT_OF_THE_OUTPUT and name not in (*files, *known)
    }
    return plan_part(
        output,
        source=(source, values[source]),
        digests=known,
        settings=settings,
        count=count,
        shard=values["shard"],
        skip_existing=values["skip_existing"],
        force=values["force"],
    )


def say_done(output, *, quiet):
    """The closing line where there was nothing to do."""
    closing_line(f"{output} is there already, made from the same", quiet=quiet)
