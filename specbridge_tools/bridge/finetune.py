"""From files to a trained model file: what `sb-finetune` does."""

from __future__ import annotations

import csv
import dataclasses
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from specbridge_tools.bridge.cached_features import CachedFeatures, open_cached_features
from specbridge_tools.bridge.checkpoint import save_model
from specbridge_tools.bridge.model import AlignedModel
from specbridge_tools.bridge.new_model import ModelOptions, build_model, parameter_counts
from specbridge_tools.bridge.pairs import Pairs, read_pairs
from specbridge_tools.bridge.training import TrainingOptions, choose_trained, train
from specbridge_tools.bridge.validation import METRICS, score_lists
from specbridge_tools.errors import DataError, MismatchError, UsageError
from specbridge_tools.processes import ALONE, Processes
from specbridge_tools.progress import SilentProgress
from specbridge_tools.provenance import sha256_text
from specbridge_tools.records import Tally
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.streams import STDIO, Destination, Source, check_output, output_text

logger = logging.getLogger(__name__)
HISTORY_COLUMNS = ("epoch", "train_loss", *METRICS, "seconds")
Calibrate: TypeAlias = Callable[..., Mapping[str, float]]
"""Lists of (scores (n,), position of the truth), `weights` (of the lists,) -> calibration of a model."""


@dataclasses.dataclass(frozen=True)
class PairOptions:
    """Which decoys a molecule has.

    Attributes:
        tolerance: How far their mass may be from that of the molecule.
        tolerance_unit: ppm or Da.
        max_decoys: At most, drawn at random; training draws some of them in each epoch.
        reading: How the spectra are read.
    """

    tolerance: float = 10.0
    tolerance_unit: str = "ppm"
    max_decoys: int = 256
    reading: Reading = DEFAULT_READING

    def half_width(self, mass: float) -> float:
        """How far the mass of a decoy may be from `mass`, both in Da."""
        return mass * self.tolerance * 1e-6 if self.tolerance_unit == "ppm" else self.tolerance

    def header(self) -> dict[str, object]:
        """The plain values that a model file holds."""
        name = f"tolerance_{self.tolerance_unit.lower()}"
        return {name: self.tolerance, "max_decoys": self.max_decoys, **self.reading.header()}


@dataclasses.dataclass(frozen=True)
class TrainingFiles:
    """What a run writes.

    Attributes:
        model: The trained model.
        checkpoint: Of the training; None for beside the model. Removed once the model is written.
        history: One row per epoch, TSV; None for none.
        cache_features: Folder for the output of the encoder's frozen layers; None to compute it in every epoch.
        force: Whether to replace existing files.
        half: Whether the model's matrices are stored as float16.
    """

    model: Destination
    checkpoint: str | os.PathLike[str] | None = None
    history: Destination | None = None
    cache_features: str | os.PathLike[str] | None = None
    force: bool = False
    half: bool = False


def finetune(
    spectra: Sequence[Source],
    validation: Sequence[Source],
    molecules: str | os.PathLike[str],
    files: TrainingFiles,
    *,
    model_options: ModelOptions,
    pair_options: PairOptions,
    training_options: TrainingOptions,
    tally: Tally,
    calibrate: Calibrate,
    device: torch.device,
    resume: bool = False,
    display: SilentProgress | None = None,
    processes: Processes = ALONE,
) -> tuple[AlignedModel, list[dict[str, float]]]:
    """Train a model, select its best epoch, calibrate it and write it.

    Args:
        spectra: Files of spectra with structures, to learn from.
        validation: The same of other molecules, to select the best epoch and to calibrate. Without any the last epoch
            is kept, and the model is not calibrated.
        molecules: File of molecule embeddings, truths and decoys.
        files: What is written, by the first process.
        model_options: What is trained.
        pair_options: Which decoys a molecule has.
        training_options: How it is trained.
        tally: Counts the spectra.
        calibrate: Fits the calibration.
        device: To train on.
        resume: Whether to go on from the checkpoint, if there is one.
        display: Shows progress in epochs.
        processes: That train together.

    Returns:
        The model, and one row of metrics per epoch.

    Raises:
        MismatchError: If training and validation share a molecule, or the embeddings are not those of the model to
            start from.
    """
    check_output(files.model, force=files.force)
    if files.cache_features is not None and not training_options.augmentation.is_none:
        message = "augmented spectra differ in every epoch: there is nothing to cache"
        raise UsageError(message, advice="--preset specbridge")
    model = build_model(molecules, model_options, seed=training_options.seed).to(device)
    pairs = _read_both(spectra, validation, molecules, model, pair_options, tally, training_options.seed)
    if model_options.start_from is None:
        model.learn_vocabulary(pairs[0].features)
    history = _train(model, *pairs, training_options, files, resume=resume, display=display, processes=processes)
    if processes.is_first:
        model.calibration = None if pairs[1] is None else _calibration(model, pairs[1], calibrate)
        model.training_summary = _summary(*pairs, training_options, pair_options, history)
        _write(model, history, files)
    return model, history


def _train(
    model: AlignedModel,
    training: Pairs,
    validation: Pairs | None,
    options: TrainingOptions,
    files: TrainingFiles,
    *,
    resume: bool,
    display: SilentProgress | None,
    processes: Processes,
) -> list[dict[str, float]]:
    choose_trained(model, options)
    logger.info("%.1f M of %.1f M parameters learn", *(count / 1e6 for count in parameter_counts(model)))
    fingerprint = _fingerprint(model, training, validation, options)
    if processes.world_size > 1:
        fingerprint["processes"] = processes.world_size
    cached = _cached_features(files.cache_features, model, training, options, processes)
    return train(
        model, training, validation, options, checkpoint=checkpoint_path(files), fingerprint=fingerprint,
        resume=resume, display=display, cached=cached, processes=processes,
    )  # fmt: skip


def _write(model: AlignedModel, history: Sequence[Mapping[str, float]], files: TrainingFiles) -> None:
    """Write history and model; then the checkpoint is no longer needed."""
    if files.history is not None:
        write_history(history, files.history, force=files.force)
    save_model(model, files.model, force=files.force, half=files.half)
    checkpoint_path(files).unlink(missing_ok=True)


def _read_both(
    spectra: Sequence[Source],
    validation: Sequence[Source],
    molecules: str | os.PathLike[str],
    model: AlignedModel,
    options: PairOptions,
    tally: Tally,
    seed: int,
) -> tuple[Pairs, Pairs | None]:
    """Training pairs, and those of validation, which share no molecule with them; None without any."""

    def read(sources: Sequence[Source], max_decoys: int | None) -> Pairs:
        return read_pairs(
            sources,
            molecules,
            features_of=model.features,
            half_width=options.half_width,
            max_decoys=max_decoys,
            tally=tally,
            reading=options.reading,
            seed=seed,
        )

    training_pairs = read(spectra, options.max_decoys)
    validation_pairs = read(validation, None) if validation else None
    for name, pairs in (("training", training_pairs), ("validation", validation_pairs)):
        if pairs is not None:
            tally.n_written += len(pairs)
            logger.info("%s: %d spectra of %d molecules", name, len(pairs), len(pairs.keys))
    if validation_pairs is not None:
        refuse_shared_molecules(training_pairs, validation_pairs)
    return training_pairs, validation_pairs


def checkpoint_path(files: TrainingFiles) -> Path:
    """Where the checkpoint is: as asked for, or beside the model under its name plus `.checkpoint`."""
    if files.checkpoint is not None:
        return Path(files.checkpoint)
    return Path(f"{'model' if str(files.model) == STDIO else os.fspath(files.model)}.checkpoint")


def _cached_features(
    folder: str | os.PathLike[str] | None,
    model: AlignedModel,
    pairs: Pairs,
    options: TrainingOptions,
    processes: Processes,
) -> CachedFeatures | None:
    """The cached features of the spectra, which the first process computes; None without a folder."""
    if folder is None:
        return None
    if not processes.is_first:
        processes.barrier()
    cached = open_cached_features(folder, model.encoder, pairs.features, options.unfrozen_blocks)
    if processes.is_first:
        processes.barrier()
    return cached


def refuse_shared_molecules(training: Pairs, validation: Pairs) -> None:
    """Raise `MismatchError` if a molecule (first InChIKey block) is in both."""
    shared = sorted(training.keys & validation.keys)
    if shared:
        raise MismatchError(
            f"{len(shared)} molecules are in training and validation, e.g. {shared[0]}",
            advice="sb-split --by structure makes parts that share none",
        )


def _calibration(model: AlignedModel, pairs: Pairs, calibrate: Calibrate) -> dict[str, float] | None:
    lists: list[tuple[NDArray[np.float32], int]] = []
    weights: list[float] = []
    for members, scores in score_lists(model, pairs):
        lists.extend((row, 0) for row in scores)
        weights.extend([1 / len(members)] * len(members))
    try:
        return dict(calibrate(lists, weights=np.array(weights)))
    except DataError as error:
        logger.warning("no calibration: %s", error)
        return None


def _fingerprint(
    model: AlignedModel, training: Pairs, validation: Pairs | None, options: TrainingOptions
) -> dict[str, object]:
    """Plain values that a resumed run must have, too."""

    def digest(pairs: Pairs | None) -> str:
        if pairs is None:
            return ""
        rows = [str(len(pairs)), *pairs.library.inchikey14[pairs.molecule]]
        return sha256_text(" ".join([*rows, f"{pairs.features.peaks.mz.sum():.6f}"]))

    values = {**dataclasses.asdict(options), **dataclasses.asdict(model.config)}
    data = {"training spectra": digest(training), "validation spectra": digest(validation)}
    return {**{key: str(value) for key, value in values.items()}, **data}


def _summary(
    training: Pairs,
    validation: Pairs | None,
    options: TrainingOptions,
    pair_options: PairOptions,
    history: Sequence[Mapping[str, float]],
) -> dict[str, Any]:
    best = max(history, key=lambda row: row.get(options.select_by, row["epoch"])) if history else {}
    keys = set() if validation is None else validation.keys
    return {
        "training_spectra": len(training),
        "training_molecules": len(training.keys),
        "validation_spectra": 0 if validation is None else len(validation),
        "validation_molecules": len(keys),
        "validation_keys": sorted(keys),
        "options": dataclasses.asdict(options),
        "pairs": pair_options.header(),
        "best": best,
    }


def write_history(history: Sequence[Mapping[str, float]], destination: Destination, *, force: bool = False) -> None:
    """Write one row per epoch as TSV, with the same columns in the same order in a resumed run."""
    with output_text(destination, force=force) as stream:
        rows = csv.DictWriter(stream, HISTORY_COLUMNS, delimiter="\t", lineterminator="\n")
        rows.writeheader()
        rows.writerows(history)
