"""sb-train-ranking: spectra of known molecules -> a model with a ranking of all evidence."""

from __future__ import annotations

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
    from specbridge_tools.spectra.reading import Reading

EXAMPLE = """
sb-train-ranking held_back.mgf --index index.h5 -o model.safetensors
sb-train-ranking held_back.mgf --index index.h5 --model mine.safetensors -o ranked.safetensors --report report.tsv
"""


@command("sb-train-ranking", example=EXAMPLE)
@click.argument("spectra", metavar="SPECTRA")
@click.option("--index", multiple=True, required=True, metavar="FILE", help="Index of sb-build-index, or a folder.")
@model_option
@output_options(what="The model with the ranking, safetensors", required=True)
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
    spectra: str, index: tuple[str, ...], model: str | None, output: str, force: bool, report: str | None,
    reference: tuple[str, ...], encoder: str | None, tolerance: str, spectra_each: int, lists: str | None, epochs: int,
    width: int, networks: int, seed: int, reading: Reading, rejects: str | None, strict: bool, batch_size: int,
    device: str, threads: int | None, quiet: bool,
) -> None:  # fmt: skip
    """Fit the ranking of a model to SPECTRA whose metadata name their structure (SMILES, InChI or InChIKey).

    Their molecules must be such that the model was not trained on, and the index should hold them among others of their
    masses. Score, probabilities and answer sets of sb-query then rest on all evidence together. Each list serves
    without any reference spectrum of its molecule and of similar ones, with those of other contributors where there are
    some, and both again as far as its candidates are in the library that ships. The molecules are parted into folds:
    probabilities are fitted to scores of networks that did not see the molecule. Without networks the sum of the
    evidence, weighed as the model does, is the score, and what it means is fitted.
    """
    from specbridge_tools.evaluation.ranking_fit import write_report
    from specbridge_tools.identification.ranking_lists import ListOptions
    from specbridge_tools.identification.train_ranking import train_ranking
    from specbridge_tools.progress import progress
    from specbridge_tools.ranking.training.train import TrainingOptions
    from specbridge_tools.records import open_tally
    from specbridge_tools.search.candidates.tolerance import Tolerance
    from specbridge_tools.spectra.reader import read_spectra
    from specbridge_tools.streams import check_output

    check_output(output, force=force)
    if report:
        check_output(report, force=force)
    with (
        open_tally("spectra", rejects=rejects, strict=strict, force=force) as tally,
        progress("spectra", quiet=quiet) as display,
    ):
        fit, made = train_ranking(
            read_spectra(spectra, reading=reading),
            index=index,
            model=model,
            output=output,
            options=ListOptions(spectra_each, Tolerance.parse(tolerance), reference, encoder),
            kept=lists,
            training=TrainingOptions(width=width, epochs=epochs, networks=networks, seed=seed),
            tally=tally,
            display=display,
            force=force,
            batch_size=batch_size,
            device=device,
            threads=threads,
        )
        if report:
            write_report(fit, made, report, force=force)
    closing_line(f"{tally.summary()}; {len(made):,} lists", quiet=quiet)
