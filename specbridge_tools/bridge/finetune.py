"""From files to a trained model file: what `sb-finetune` does."""

import csv
import dataclasses
import logging
import os
from pathlib import Path

import numpy as np
import torch

from specbridge_tools.bridge.cached_features import frozen_features
from specbridge_tools.bridge.checkpoint import SHIPPED_NAME, load_model, save_model
from specbridge_tools.bridge.model import AlignedModel, ModelConfig
from specbridge_tools.bridge.pairs import read_pairs
from specbridge_tools.bridge.training import choose_trained, train
from specbridge_tools.bridge.validation import KS, score_lists
from specbridge_tools.embeddings.molecules import open_molecule_embeddings
from specbridge_tools.encoders.base import LowRankEncoder, VocabularyEncoder
from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.errors import DataError, MismatchError, UsageError
from specbridge_tools.processes import ALONE
from specbridge_tools.provenance import sha256_text
from specbridge_tools.streams import STDIO, check_output, output_text

logger = logging.getLogger(__name__)
HISTORY_COLUMNS = ("epoch", "train_loss", *(f"recall@{k}" for k in KS), "mrr", "seconds")


@dataclasses.dataclass(frozen=True)
class ModelOptions:
    """spectral_encoder as the registry spells it; start_from a model file whose weights are trained further, then the
    other fields are its own; molecule_head_depth 0 for none; lora_rank 0: the encoder's own weights learn."""

    spectral_encoder: str = "dreams"
    start_from: str | None = None
    projector_hidden: int = 512
    projector_depth: int = 2
    molecule_head_depth: int = 0
    dropout: float = 0.1
    projector: str = "residual"
    lora_rank: int = 0


@dataclasses.dataclass(frozen=True)
class PairOptions:
    """Decoys lie within `tolerance_ppm` of the truth's mass, at most `max_decoys` a molecule, drawn anew each epoch."""

    tolerance_ppm: float = 10.0
    max_decoys: int = 256
    input_format: str = "auto"


def finetune(
    spectra,
    validation,
    molecules,
    output,
    *,
    model_options,
    pair_options,
    training_options,
    tally,
    calibrate,
    device,
    checkpoint=None,
    resume=False,
    history_table=None,
    cache_features=None,
    display=None,
    force=False,
    processes=ALONE,
):
    """Train a model on `spectra`, select its best epoch on `validation`, write it to `output` -> (model, history).

    spectra, validation  lists of spectrum files with structures; no molecule may stand in both
    molecules            molecule embeddings file with the truths and the decoys
    calibrate            (lists of (scores, place of the truth), weights) -> calibration of the model, or None
    cache_features       folder for what the frozen layers of the encoder give, or None
    checkpoint           training checkpoint, by default beside the output; removed once the model is written
    processes            `Processes` that train together; the first writes

    Raises `MismatchError` where a molecule stands in training and validation, or the embeddings are not those of the
    model that the run starts from.
    """
    check_output(output, force=force)
    if cache_features is not None and not training_options.augmentation.is_none:
        raise UsageError("augmented spectra differ in every epoch: nothing to keep", advice="--preset specbridge")
    checkpoint = checkpoint_path(output, checkpoint)
    model = build_model(molecules, model_options, seed=training_options.seed).to(device)
    training_pairs, validation_pairs = _read_both(
        spectra, validation, molecules, model, pair_options, tally, training_options.seed
    )
    if model_options.start_from is None and isinstance(model.encoder, VocabularyEncoder):
        model.learn_vocabulary(training_pairs.features)
    choose_trained(model, training_options)
    logger.info("%.1f M of %.1f M parameters learn", *(count / 1e6 for count in parameter_counts(model)))
    fingerprint = _fingerprint(model, training_pairs, validation_pairs, training_options)
    history = train(
        model,
        training_pairs,
        validation_pairs,
        training_options,
        checkpoint=checkpoint,
        fingerprint=fingerprint | ({"processes": processes.world_size} if processes.world_size > 1 else {}),
        resume=resume,
        display=display,
        frozen=_frozen(cache_features, model, training_pairs, training_options, processes),
        processes=processes,
    )
    if not processes.is_first:
        return model, history
    model.calibration = _calibration(model, validation_pairs, calibrate)
    model.training_summary = _summary(training_pairs, validation_pairs, training_options, pair_options, history)
    if history_table is not None:
        write_history(history, history_table, force=force)
    save_model(model, output, force=force)
    checkpoint.unlink(missing_ok=True)
    return model, history


def _read_both(spectra, validation, molecules, model, options, tally, seed):
    """Training and validation `Pairs`, which share no molecule."""
    common = {
        "features_of": model.features,
        "tolerance_ppm": options.tolerance_ppm,
        "input_format": options.input_format,
        "tally": tally,
        "seed": seed,
    }
    training_pairs = read_pairs(spectra, molecules, max_decoys=options.max_decoys, **common)
    validation_pairs = read_pairs(validation, molecules, max_decoys=None, **common)
    refuse_shared_molecules(training_pairs, validation_pairs)
    tally.n_written = len(training_pairs) + len(validation_pairs)
    logger.info(
        "training: %d spectra of %d molecules; validation: %d of %d",
        *(len(training_pairs), len(training_pairs.keys), len(validation_pairs), len(validation_pairs.keys)),
    )
    return training_pairs, validation_pairs


def checkpoint_path(output, checkpoint):
    """Where the checkpoint of a run lies: `checkpoint`, or beside the output under its name plus `.checkpoint`."""
    if checkpoint is not None:
        return Path(checkpoint)
    return Path(f"{'model' if str(output) == STDIO else os.fspath(output)}.checkpoint")


def build_model(molecules, options, *, seed=0):
    """A new model over the space of an embeddings file, or the one to start from after a check that they fit."""
    with open_molecule_embeddings(molecules) as file:
        space = (file.encoder, file.weights_sha256, file.dimension)
    if options.start_from is None:
        torch.manual_seed(seed)
        encoder = SPECTRUM_ENCODERS.create(options.spectral_encoder)
        if options.lora_rank:
            if not isinstance(encoder, LowRankEncoder):
                raise UsageError(f"{options.spectral_encoder} has no weights for low-rank changes")
            encoder.add_low_rank(options.lora_rank)
        config = ModelConfig(
            encoder.describe(),
            *space,
            projector_hidden=options.projector_hidden,
            projector_depth=options.projector_depth,
            molecule_head_depth=options.molecule_head_depth,
            dropout=options.dropout,
            projector=options.projector,
        )
        return AlignedModel(config, encoder)
    model = load_model(None if options.start_from == SHIPPED_NAME else options.start_from)
    if (model.molecule_encoder, model.molecule_encoder_sha256, model.dimension) != space:
        raise MismatchError(
            f"embeddings of {space[0]} ({space[1][:12]}), but {options.start_from} points to "
            f"{model.molecule_encoder} ({model.molecule_encoder_sha256[:12]})",
            where=molecules,
            advice="embed the molecules with the model's encoder",
        )
    return model


def _frozen(folder, model, pairs, options, processes):
    if folder is None:
        return None
    if not processes.is_first:
        processes.barrier()  # the first makes them
    features = frozen_features(folder, model.encoder, pairs.features, options.unfrozen_blocks)
    if processes.is_first:
        processes.barrier()
    return features


def parameter_counts(model):
    """(those that learn, all with the fixed frequencies of the encoder); the molecular encoder is not among them."""
    everything = [*model.parameters(), *model.buffers()]
    return sum(p.numel() for p in everything if p.requires_grad), sum(p.numel() for p in everything)


def refuse_shared_molecules(training, validation):
    """Raise `MismatchError` where a molecule (first InChIKey block) stands in both."""
    shared = sorted(training.keys & validation.keys)
    if shared:
        raise MismatchError(
            f"{len(shared)} molecules stand in training and validation, e.g. {shared[0]}",
            advice="sb-split --by structure makes parts that share none",
        )


def _calibration(model, pairs, calibrate):
    lists, weights = [], []
    for members, scores in score_lists(model, pairs):
        lists.extend((row, 0) for row in scores)
        weights.extend([1 / len(members)] * len(members))
    try:
        return dict(calibrate(lists, weights=np.array(weights)))
    except DataError as error:
        logger.warning("no calibration: %s", error)
        return None


def _fingerprint(model, training, validation, options):
    def digest(pairs):
        rows = [str(len(pairs)), *pairs.library.inchikey14[pairs.molecule]]
        return sha256_text(" ".join([*rows, f"{pairs.features.peaks.mz.sum():.6f}"]))

    options = {key: str(value) for key, value in dataclasses.asdict(options).items()}
    config = {key: str(value) for key, value in dataclasses.asdict(model.config).items()}
    data = {"training spectra": digest(training), "validation spectra": digest(validation)}
    return options | config | data


def _summary(training, validation, options, pair_options, history):
    best = max(history, key=lambda row: row["mrr"]) if history else {}
    return {
        "training_spectra": len(training),
        "training_molecules": len(training.keys),
        "validation_spectra": len(validation),
        "validation_molecules": len(validation.keys),
        "validation_keys": sorted(validation.keys),
        "options": dataclasses.asdict(options),
        "pairs": dataclasses.asdict(pair_options),
        "best": best,
    }


def write_history(history, destination, *, force=False):
    """One row an epoch as TSV, the columns in the same order whether or not the run was resumed."""
    with output_text(destination, force=force) as stream:
        rows = csv.DictWriter(stream, HISTORY_COLUMNS, delimiter="\t", lineterminator="\n")
        rows.writeheader()
        rows.writerows(history)
