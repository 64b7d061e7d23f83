"""sb-finetune: train the bridge from spectra into the molecules' space."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.finetune_options import training_options, typed_options
from specbridge_tools.cli.options import (
    device_option,
    output_options,
    plot_option,
    record_options,
    threads_option,
)
from specbridge_tools.cli.reading_options import reading_options

if TYPE_CHECKING:
    from specbridge_tools.spectra.reading import Reading


@command(
    "sb-finetune",
    example="""
sb-split spectra.mgf --by structure --fractions 0.9,0.1 -o parts/
sb-embed-mols molecules.tsv -o molecules.h5
sb-finetune parts/train.mgf --validation parts/val.mgf --molecules molecules.h5 -o model.safetensors
""",
)
@click.argument("spectra", nargs=-1, required=True, metavar="SPECTRA...")
@click.option(
    "--validation",
    multiple=True,
    metavar="FILE",
    help="Spectra of other molecules: the best epoch is chosen and probabilities are fitted on them. Without any, the "
    "last epoch is kept, and cosines have no probabilities.",
)
@click.option("--molecules", required=True, metavar="FILE", help="Embeddings of the true molecules and the decoys.")
@output_options(what="Model, safetensors", required=True)
@click.option(
    "--dtype", type=click.Choice(("float16", "float32")), default="float32",
    help="Precision of the stored matrices; float16 halves the file.",
)  # fmt: skip
@training_options
@click.option("--checkpoint", metavar="FILE", help="Written after every epoch.  [default: OUTPUT.checkpoint]")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint if there is one.")
@click.option("--history", metavar="FILE", help="Write one row per epoch, TSV.")
@plot_option(what="the learning curve")
@click.option(
    "--cache-features", metavar="DIR", help="Keep the output of frozen layers here, for later epochs and runs."
)
@reading_options
@record_options
@device_option
@threads_option
def main(
    spectra: tuple[str, ...], validation: tuple[str, ...], molecules: str, output: str, force: bool, dtype: str,
    checkpoint: str | None, resume: bool, history: str | None, plot: str | None, cache_features: str | None,
    reading: Reading, rejects: str | None, strict: bool, device: str, threads: int | None, quiet: bool,
    **training: Any,
) -> None:  # fmt: skip
    """Train a model on SPECTRA whose metadata name their structure (SMILES, InChI or InChIKey).

    With torchrun several processes train one model together; --batch-size is that of all of them. A signal (SIGTERM,
    SIGUSR1) ends the training with a checkpoint, from which --resume goes on.
    """
    from specbridge_tools.bridge.finetune import TrainingFiles, finetune
    from specbridge_tools.device import pick_device
    from specbridge_tools.hits.fit_probability import fit_calibration
    from specbridge_tools.processes import open_processes
    from specbridge_tools.progress import progress
    from specbridge_tools.records import open_tally
    from specbridge_tools.streams import check_output
    from specbridge_tools.threads import use_threads

    use_threads(threads)
    picked_device = pick_device(device)
    for path in filter(None, (history, plot)):
        check_output(path, force=force)
    model_options, pair_options, options = typed_options(training, reading=reading, device=picked_device)
    with contextlib.ExitStack() as stack:
        processes, own_device = stack.enter_context(open_processes(picked_device))
        if not processes.is_first:
            rejects, history, plot, quiet = None, None, None, True
            logging.getLogger().setLevel(logging.WARNING)
        tally = stack.enter_context(open_tally("spectra", rejects=rejects, strict=strict, force=force))
        with progress("epochs", total=options.epochs, quiet=quiet) as display:
            _, rows = finetune(
                spectra,
                validation,
                molecules,
                TrainingFiles(output, checkpoint, history, cache_features, force, half=dtype == "float16"),
                model_options=model_options,
                pair_options=pair_options,
                training_options=options,
                tally=tally,
                calibrate=fit_calibration,
                resume=resume,
                device=own_device,
                display=display,
                processes=processes,
            )
        if plot:
            from specbridge_tools.report.plots import draw_learning_curve

            draw_learning_curve(rows, plot, force=force)
    closing_line(tally.summary(), quiet=quiet)
