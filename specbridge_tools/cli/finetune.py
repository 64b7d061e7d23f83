"""sb-finetune: train the bridge from spectra into the molecules' space."""

import contextlib
import logging

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.finetune_options import training_options, typed_options
from specbridge_tools.cli.options import (
    device_option,
    output_options,
    record_options,
    spectrum_format_option,
    threads_option,
)


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
    "--validation", multiple=True, required=True, metavar="FILE", help="Spectra of other molecules, to select on."
)
@click.option("--molecules", required=True, metavar="FILE", help="Molecule embeddings with truths and decoys.")
@output_options(what="Model, safetensors", required=True)
@training_options
@click.option("--checkpoint", metavar="FILE", help="Written after every epoch.  [default: OUTPUT.checkpoint]")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint, where there is one.")
@click.option("--history", metavar="FILE", help="Write one row an epoch, TSV.")
@click.option("--plot", metavar="FILE", help="Draw the learning curve, PNG.")
@click.option("--cache-features", metavar="DIR", help="Keep what frozen layers give, for later epochs and runs.")
@spectrum_format_option
@record_options
@device_option
@threads_option
def main(
    spectra, validation, molecules, output, force, checkpoint, resume, history, plot, cache_features, input_format,
    rejects, strict, device, threads, quiet, **training,
):  # fmt: skip
    """Train a model on SPECTRA whose metadata name their structure (SMILES, InChI or InChIKey).

    With torchrun several processes train one model together; --batch-size is that of all. A signal (SIGTERM, SIGUSR1)
    ends it with a checkpoint, from which --resume goes on.
    """
    from specbridge_tools.bridge.finetune import TrainingFiles, finetune
    from specbridge_tools.device import pick_device
    from specbridge_tools.evaluation.calibration import fit_calibration
    from specbridge_tools.processes import open_processes
    from specbridge_tools.progress import progress
    from specbridge_tools.records import open_tally
    from specbridge_tools.streams import check_output
    from specbridge_tools.threads import use_threads

    use_threads(threads)
    device = pick_device(device)
    for path in filter(None, (history, plot)):
        check_output(path, force=force)
    model_options, pair_options, options = typed_options(training, input_format=input_format, device=device)
    with contextlib.ExitStack() as stack:
        processes, device = stack.enter_context(open_processes(device))
        if not processes.is_first:
            rejects, history, plot, quiet = None, None, None, True
            logging.getLogger().setLevel(logging.WARNING)
        tally = stack.enter_context(open_tally("spectra", rejects=rejects, strict=strict, force=force))
        with progress("epochs", total=options.epochs, quiet=quiet) as display:
            _, rows = finetune(
                spectra,
                validation,
                molecules,
                TrainingFiles(output, checkpoint, history, cache_features, force),
                model_options=model_options,
                pair_options=pair_options,
                training_options=options,
                tally=tally,
                calibrate=fit_calibration,
                resume=resume,
                device=device,
                display=display,
                processes=processes,
            )
        if plot:
            from specbridge_tools.report.curves import draw_learning_curve

            draw_learning_curve(rows, plot, force=force)
    closing_line(tally.summary(), quiet=quiet)
