"""Options that several commands share, each declared once."""

import click

from specbridge_tools.streams import STDIO

force_option = click.option("--force", is_flag=True, help="Replace an output that exists.")


def output_options(*, what, required=False):
    """`-o/--output` and `--force`."""

    def decorate(function):
        function = force_option(function)
        settings = {"required": True} if required else {"default": STDIO}
        return click.option("-o", "--output", metavar="FILE", help=f"{what}; - is stdout.", **settings)(function)

    return decorate


def record_options(function):
    """`--rejects` and `--strict`: what becomes of records that cannot be used."""
    function = click.option(
        "--strict", is_flag=True, help="Stop with status 1 at the first record that cannot be used."
    )(function)
    return click.option("--rejects", metavar="FILE", help="Write one row for each record that cannot be used, TSV.")(
        function
    )


threads_option = click.option(
    "--threads", type=click.IntRange(min=1), metavar="N", help="CPU threads.  [default: all that the scheduler allows]"
)

SPECTRUM_FORMATS = ("auto", "mgf", "msp", "mzml", "mzxml")
spectrum_format_option = click.option(
    "--input-format",
    type=click.Choice(SPECTRUM_FORMATS),
    default="auto",
    help="Format of the spectra; auto looks at the content, never at the name.",
)

model_option = click.option("--model", metavar="FILE", help="Model made by sb-finetune.  [default: the one that ships]")
group_option = click.option(
    "--group-by",
    metavar="FIELD",
    help="Answer spectra with the same value of this field together; the value is the query's id.",
)
batch_size_option = click.option(
    "--batch-size", type=click.IntRange(min=1), default=64, metavar="N", help="Records encoded at once."
)
dtype_option = click.option(
    "--dtype", type=click.Choice(("float16", "float32")), default="float16", help="Of the stored vectors."
)
device_option = click.option(
    "--device", default="auto", metavar="NAME", help="cpu, cuda, cuda:N, or auto: cuda where there is one."
)
