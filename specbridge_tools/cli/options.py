"""Options that several commands share, each declared once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from specbridge_tools.streams import STDIO

Function = TypeVar("Function", bound=Callable[..., object])

force_option = click.option("--force", is_flag=True, help="Replace an output that exists.")
threads_option = click.option(
    "--threads", type=click.IntRange(min=1), metavar="N", help="CPU threads.  [default: all that the scheduler allows]"
)
encoder_or_model_option = click.option(
    "--model",
    metavar="FILE|NAME:ARGUMENT",
    help="Model made by sb-finetune, or a spectral encoder, e.g. dreams:PATH, for its own vectors.  "
    "[default: the model that ships]",
)
model_option = click.option("--model", metavar="FILE", help="Model made by sb-finetune.  [default: the one that ships]")
group_option = click.option(
    "--group-by",
    metavar="FIELD",
    help="Spectra with the same value of this metadata field are one query; the value is its id.",
)
batch_size_option = click.option(
    "--batch-size", type=click.IntRange(min=1), default=64, metavar="N", help="Records encoded at once."
)
encoder_option = click.option(
    "--encoder",
    default="default",
    metavar="NAME[:OPTIONS]",
    help="default (the one that ships), morgan[:radius=2,bits=4096,counts=false,dimension=512,seed=0], "
    "morgan:file=PATH, chemberta:PATH[,pooling=cls|mean], toy[:dimension=32].",
)
dtype_option = click.option(
    "--dtype", type=click.Choice(("float16", "float32")), default="float16", help="Precision of the stored vectors."
)
device_option = click.option(
    "--device", default="auto", metavar="NAME", help="cpu, cuda, cuda:N, or auto: cuda where there is one."
)


def output_options(*, what: str, required: bool = False) -> Callable[[Function], Function]:
    """`-o/--output` of `what`, and `--force`; stdout by default, or a `required` name."""

    def decorate(function: Function) -> Function:
        function = force_option(function)
        text = f"{what}; - is stdout."
        if required:
            return click.option("-o", "--output", metavar="FILE", required=True, help=text)(function)
        return click.option("-o", "--output", metavar="FILE", default=STDIO, help=text)(function)

    return decorate


def record_options(function: Function) -> Function:
    """Decorator: `--rejects` and `--strict`, what becomes of records that cannot be used."""
    function = click.option(
        "--strict", is_flag=True, help="Stop with status 1 at the first record that cannot be used."
    )(function)
    return click.option("--rejects", metavar="FILE", help="Write one row for each record that cannot be used, TSV.")(
        function
    )


allow_empty_option = click.option(
    "--allow-empty", is_flag=True, help="Go on where no record can be used; else that ends with status 1."
)


def format_option(
    choices: Sequence[str] = ("tsv", "jsonl"), *, what: str = "Format of the hits."
) -> Callable[[Function], Function]:
    """`--format`, the first of the choices by default; by default that of hits."""
    return click.option("--format", "output_format", type=click.Choice(choices), default=choices[0], help=what)


def plot_option(*, what: str) -> Callable[[Function], Function]:
    """`--plot` of `what`."""
    return click.option("--plot", metavar="FILE", help=f"Draw {what}, PNG; needs matplotlib.")


class _NumberOrAll(click.ParamType):
    """A number, or `all`."""

    name = "number or all"

    def convert(self, value: object, parameter: click.Parameter | None, context: click.Context | None) -> int | str:
        if value == "all":
            return "all"
        try:
            number = int(str(value))
        except ValueError:
            number = -1
        if number < 0:
            self.fail(f"{value!r} is neither all nor a number from 0", parameter, context)
        return number


def rerank_option(*, default: str | None, help: str) -> Callable[[Function], Function]:
    """`--rerank`: how many candidates of a query, the first ones by cosine; an int, or `all`."""
    return click.option("--rerank", type=_NumberOrAll(), default=default, metavar="all|N", help=help)


reference_option = click.option(
    "--reference",
    multiple=True,
    metavar="FILE|none",
    help="Reference spectra of sb-build-reference beside those that ship, may be repeated; none for none at all.",
)


reference_encoder_option = click.option(
    "--encoder",
    metavar="NAME[:OPTIONS]",
    help="Molecular encoder of the reference spectra, where its name does not say where its files are.",
)


def reference_options(function: Function) -> Callable[..., object]:
    """Decorator: `--reference` and `--leave-out`; the command gets them as one `References`, named `references`."""

    @functools.wraps(function)
    def with_references(reference: tuple[str, ...], leave_out: str | None, **values: object) -> object:
        from specbridge_tools.identification.references import References

        return function(references=References(reference, leave_out), **values)

    decorated: Callable[..., object] = click.option(
        "--leave-out",
        type=click.Choice(("accession", "molecule", "relatives")),
        help="For honest figures: leave out reference spectra with the id of the spectrum, all of its own molecule, or "
        "those of similar molecules as well.",
    )(with_references)
    return reference_option(decorated)


def seed_option(*, what: str) -> Callable[[Function], Function]:
    """`--seed` of `what`."""
    return click.option("--seed", type=click.IntRange(min=0), default=0, metavar="SEED", help=f"Seed of {what}.")


def tolerance_option(*, what: str) -> Callable[[Function], Function]:
    """`--tolerance`: half the width of a mass window, as `Tolerance.parse` reads it."""
    return click.option("--tolerance", default="10ppm", metavar="WIDTH", help=f"{what}, in ppm or Da, e.g. 0.005Da.")


def truth_option(*, required: bool = False) -> Callable[[Function], Function]:
    """`--truth`: the spectra that were searched, with their structures."""
    text = "The spectra that were searched, with their structures: SMILES, InChI or InChIKey."
    return click.option("--truth", required=required, metavar="SPECTRA", help=text)
