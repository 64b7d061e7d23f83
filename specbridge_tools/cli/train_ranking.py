"""sb-train-ranking: spectra of known molecules -> a model with a ranking of all evidence."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import (
    batch_size_option,
    device_option,
    model_option,
    output_options,
    record_options,
    reference_encoder_option,
    reference_option,
    threads_option,
    tolerance_option,
)
from specbridge_tools.cli.reading_options import reading_options

if TYPE_CHECKING:
    from specbridge_tools.fragmentation.training.examples import ExampleCounts
    from specbridge_tools.fragmentation.training.networks import EpochReport
    from specbridge_tools.spectra.reading import Reading

logger = logging.getLogger(__name__)
EXAMPLE = """
sb-train-ranking held_back.mgf --index index.h5 -o model.safetensors
sb-train-ranking val.mgf --fragments train.mgf --index index.h5 --model bridge.safetensors -o model.safetensors
"""


@command("sb-train-ranking", example=EXAMPLE)
@click.argument("spectra", metavar="SPECTRA")
@click.option("--index", multiple=True, required=True, metavar="FILE", help="Index of sb-build-index, or a folder.")
@model_option
@output_options(what="The model with the ranking, safetensors", required=True)
@click.option(
    "--fragments", multiple=True, metavar="FILE",
    help="Train the network that scores fragments on these spectra of other molecules; may be repeated. That of the "
    "model is trained further; where it has none, three are trained, and a fourth, which is kept, by them.",
)  # fmt: skip
@click.option(
    "--fragments-from", metavar="MODEL",
    help="Take the network that scores fragments from this model, default for the one that ships, in place of the "
    "--model's; with --fragments it is trained further.",
)  # fmt: skip
@click.option(
    "--checkpoints", metavar="DIR",
    help="Networks of fragments are kept here after every epoch; a training that was interrupted goes on from them.  "
    "[default: OUTPUT.checkpoints]",
)  # fmt: skip
@click.option(
    "--fragment-epochs", type=click.IntRange(min=1), metavar="N",
    help="Passes over the molecules for the first network of fragments; others take half as many.  "
    "[default: 14, or 7 for one trained further]",
)  # fmt: skip
@click.option(
    "--fit-weights", is_flag=True,
    help="Fit how much each kind of evidence weighs, too; --fragments always does. Takes hundreds of molecules.",
)  # fmt: skip
@reference_option
@reference_encoder_option
@click.option("--report", metavar="FILE", help="Write how it does on molecules that it was not fitted to, TSV.")
@tolerance_option(what="Largest deviation from the neutral mass")
@click.option(
    "--spectra-each",
    type=click.IntRange(min=1),
    default=4,
    metavar="N",
    help="Spectra of a molecule and adduct, at most; they are answered together as well.",
)
@click.option(
    "--lists", metavar="FILE",
    help="Keep the candidate lists here; where the file is there, they are read, and nothing is searched again.",
)  # fmt: skip
@click.option("--epochs", type=click.IntRange(min=0), default=12, metavar="N", help="Passes over the lists.")
@click.option("--width", type=click.IntRange(min=1, max=4096), default=12, metavar="N", help="Of the hidden layers.")
@click.option(
    "--networks", type=click.IntRange(min=0, max=64), default=0, metavar="N",
    help="How many networks correct the sum of the evidence, averaged; 0: the sum ranks as it is.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="SEED", help="Of everything that is drawn.")
@reading_options
@record_options
@batch_size_option
@device_option
@threads_option
def main(
    spectra: str, index: tuple[str, ...], model: str | None, output: str, force: bool, fragments: tuple[str, ...],
    fragments_from: str | None, checkpoints: str | None, fragment_epochs: int | None, fit_weights: bool,
    report: str | None, reference: tuple[str, ...], encoder: str | None, tolerance: str, spectra_each: int,
    lists: str | None, epochs: int, width: int, networks: int, seed: int, reading: Reading, rejects: str | None,
    strict: bool, batch_size: int, device: str, threads: int | None, quiet: bool,
) -> None:  # fmt: skip
    """Train what ranks candidates, by SPECTRA whose metadata name their structure (SMILES, InChI or InChIKey).

    Their molecules must be such that the model was not trained on, and the index should hold them among others of their
    masses. The network that scores fragments is trained on other spectra (--fragments), with torchrun by several
    processes together. Then weights of the evidence, probabilities and answer sets are fitted to the candidate lists of
    SPECTRA: each list serves without any reference spectrum of its molecule and of similar ones, with those of other
    contributors where there are some, and both again as far as its candidates are in the library that ships. With
    --networks the sum of the evidence is corrected by networks; the molecules are parted into folds, and probabilities
    are fitted to scores of networks that did not see the molecule.
    """
    import contextlib

    import torch

    from specbridge_tools.evaluation.ranking_fit import write_report
    from specbridge_tools.identification.ranking_lists import ListOptions
    from specbridge_tools.identification.train_fragments import FragmentTraining
    from specbridge_tools.identification.train_ranking import train_ranking
    from specbridge_tools.processes import open_processes
    from specbridge_tools.progress import progress
    from specbridge_tools.ranking.training.train import TrainingOptions
    from specbridge_tools.records import open_tally
    from specbridge_tools.search.candidates.tolerance import Tolerance
    from specbridge_tools.spectra.reader import read_spectra
    from specbridge_tools.streams import check_output
    from specbridge_tools.threads import use_threads

    for path in filter(None, (output, report)):
        check_output(path, force=force)
    with contextlib.ExitStack() as stack:
        # arrays of one molecule are too small for a GPU, so that processes are on the CPU
        processes, _ = stack.enter_context(open_processes(torch.device("cpu")))
        if not processes.is_first:
            rejects, report, quiet = None, None, True
            logging.getLogger().setLevel(logging.WARNING)
        tally = stack.enter_context(open_tally("spectra", rejects=rejects, strict=strict, force=force))
        display = stack.enter_context(progress("spectra", quiet=quiet))
        training = None
        if fragments:
            training = FragmentTraining(
                itertools.chain.from_iterable(read_spectra(path, reading=reading) for path in fragments),
                checkpoints or f"{output}.checkpoints", tally.beside("spectra of fragments"), epochs=fragment_epochs,
                seed=seed, n_processes=use_threads(threads), processes=processes, after_examples=_log_examples,
                after_epoch=_log_epoch, display=display,
            )  # fmt: skip
        found = train_ranking(
            read_spectra(spectra, reading=reading), index=index, model=model, output=output,
            options=ListOptions(spectra_each, Tolerance.parse(tolerance), reference, encoder), kept=lists,
            training=TrainingOptions(width=width, epochs=epochs, networks=networks, seed=seed), fragments=training,
            fragments_from=fragments_from, fit_weights=fit_weights, tally=tally, display=display, force=force,
            batch_size=batch_size, device=device, threads=threads,
        )  # fmt: skip
        if found is None:
            return
        fit, made = found
        if report:
            write_report(fit, made, report, force=force)
    tallies = [tally, *([training.tally] if training else [])]
    closing_line(f"{'; '.join(each.summary() for each in tallies)}; {len(made):,} lists", quiet=quiet)


def _log_examples(name: str, counts: ExampleCounts) -> None:
    logger.info("fragments, network %s: %s", name, counts.summary())


def _log_epoch(report: EpochReport) -> None:
    recall = "" if report.recall is None else " recall@1 {:.3f} @5 {:.3f} @20 {:.3f}".format(*report.recall)
    values = (report.stage, report.epoch, report.epochs, report.loss, recall)
    logger.info("fragments, network %s: epoch %d of %d, loss %.4f%s", *values)
