"""From spectra of known molecules to fragment networks, weights of all evidence, and what their sum means."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from specbridge_tools import pretrained
from specbridge_tools.bridge.checkpoint import SHIPPED_NAME
from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.ranker_file import add_ranker, find_ranker, load_ranker
from specbridge_tools.identification.ranking_lists import ListOptions, few_of_each, labelled_lists
from specbridge_tools.identification.references import reference_fusion
from specbridge_tools.identification.train_fragments import FragmentTraining, train_fragments
from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.progress import SilentProgress
from specbridge_tools.provenance import sha256_arrays
from specbridge_tools.ranking.ranking_file import PREFIX as RANKING_PREFIX
from specbridge_tools.ranking.ranking_file import add_ranking
from specbridge_tools.ranking.training.fit import FOLDS, RankingFit, fit_ranking
from specbridge_tools.ranking.training.list_file import read_lists, write_lists
from specbridge_tools.ranking.training.lists import LabelledList, require_molecules
from specbridge_tools.ranking.training.train import DEFAULT_OPTIONS, TrainingOptions
from specbridge_tools.ranking.training.weights import fit_cosine_calibration, fit_sums
from specbridge_tools.records import NO_STRUCTURE, Rejection, Tally
from specbridge_tools.spectra.choose import only
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.weights.tensor_file import read_tensor_file

DEFAULT_LISTS = ListOptions()


def train_ranking(
    spectra: Iterable[Spectrum | Rejection],
    *,
    index: str | os.PathLike[str] | Sequence[str],
    model: str | os.PathLike[str] | None,
    output: str | os.PathLike[str],
    options: ListOptions = DEFAULT_LISTS,
    kept: str | os.PathLike[str] | None = None,
    training: TrainingOptions = DEFAULT_OPTIONS,
    fragments: FragmentTraining | None = None,
    fragments_from: str | os.PathLike[str] | None = None,
    fit_weights: bool = False,
    tally: Tally | None = None,
    display: SilentProgress | None = None,
    force: bool = False,
    **settings: Any,
) -> tuple[RankingFit, list[LabelledList]] | None:
    """Train what ranks, and write the model with it: networks of fragments, weights of the evidence, probabilities.

    Args:
        spectra: Of molecules that neither the spectral encoder nor the fragment networks of the model were trained on.
            Their metadata name their structure.
        index: What is searched: it should hold the molecules of the spectra, among others.
        model: Whose ranking is replaced; None for the model that ships. Without `fragments` and `fragments_from` it
            holds a network that scores fragments.
        output: The model with the ranking.
        options: Which lists are made.
        kept: A file of lists: read where it is there, so that nothing is searched again, else written.
        training: Of the networks that correct the sum of the evidence.
        fragments: Trains the network that scores fragments, on spectra of other molecules; None keeps it.
        fragments_from: A model whose network that is, in place of the model's own; `SHIPPED_NAME` for that which ships.
        fit_weights: Fit the weights of the evidence as well; `fragments` always does.
        tally: Counts the spectra.
        display: Advances by one for each spectrum and each training.
        force: Replace `output`.
        settings: Of `identify`: device, batch_size, threads.

    Returns:
        The fit, and the lists that it was fitted to, in the order of what it scored. None in processes of torchrun that
        only train fragments with the first one.

    Raises:
        DataError: Where spectra or molecules are too few.
        FormatError: Where the lists that were kept are others.
        MismatchError: Where no reference spectra belong to the model.
    """
    display = display or SilentProgress()
    tally = tally or Tally(noun="spectra")
    named = only(spectra, lambda spectrum: structure_key(spectrum) is not None, NO_STRUCTURE)
    chosen = list(few_of_each(tally.usable(named), each=options.each))
    if not chosen:
        raise DataError("no spectrum with a structure", advice="name it in the metadata: SMILES, InChI or InChIKey")
    start = _network(model, fragments_from, is_trained=fragments is not None)
    with tempfile.TemporaryDirectory() as folder:
        ranker = start
        if fragments is not None:
            ranker = train_fragments(fragments, held_back=chosen, index=index, start=start)
            if not fragments.processes.is_first:
                return None
        if ranker is not None and (fragments is not None or fragments_from is not None):
            trained = Path(folder) / "fragments.safetensors"
            add_ranker(ranker, _path(model), trained)
            model = trained
        lists = _lists(chosen, options, kept, model, display=display, index=index, **settings)
        require_molecules(lists, 2 * FOLDS)
        if fit_weights or fragments is not None:
            weighed = Path(folder) / "weighed.safetensors"
            weigh_evidence(lists, model, weighed)
            model = weighed
        fit = fit_ranking(
            lists, linear=linear_sum_of(model), options=training, folds=FOLDS, seed=training.seed,
            progress=lambda: display.advance(1),
        )  # fmt: skip
        add_ranking(fit.ranking, _path(model), output, force=force)
    return fit, lists


def _network(
    model: str | os.PathLike[str] | None, fragments_from: str | os.PathLike[str] | None, *, is_trained: bool
) -> Ranker | None:
    """The network of fragments that is there; None where the model that is to have one `is_trained` from nothing."""
    if fragments_from is None:
        found = find_ranker(model)
        if found is None and not is_trained:
            raise FormatError(
                "holds no network that scores fragments", where=model,
                advice="train one: --fragments SPECTRA, or take one: --fragments-from MODEL",
            )  # fmt: skip
        return found
    return load_ranker(None if fragments_from == SHIPPED_NAME else fragments_from)


def _lists(
    spectra: Sequence[Spectrum],
    options: ListOptions,
    kept: str | os.PathLike[str] | None,
    model: str | os.PathLike[str] | None,
    **settings: Any,
) -> list[LabelledList]:
    """`labelled_lists`, or those in the file `kept`; they are written to it where it is not there."""
    made_by = f"{len(spectra)} spectra, {spectra[0].id} to {spectra[-1].id}, {options}, {_digest(model)}"
    if kept is not None and Path(kept).exists():
        return read_lists(kept, made_by=made_by)
    lists = list(labelled_lists(spectra, options, model=model, **settings))
    if kept is not None and lists:
        write_lists(lists, kept, made_by=made_by)
    return lists


def weigh_evidence(
    lists: Sequence[LabelledList], model: str | os.PathLike[str] | None, output: str | os.PathLike[str]
) -> None:
    """Write a model with the weights of the evidence, and what scores of incomplete lists mean, fitted to lists."""
    sums, ranker = fit_sums(lists), load_ranker(model)
    config = {**ranker.config, **sums["single"].config(), "group": sums["group"].config()}
    weighed = dataclasses.replace(ranker, config=config)
    add_ranker(weighed, _path(model), output, calibration=fit_cosine_calibration(lists))


def _path(model: str | os.PathLike[str] | None) -> str | os.PathLike[str]:
    return pretrained.MODEL if model is None else model


def _digest(model: str | os.PathLike[str] | None) -> str:
    """Of what makes the lists: the encoder and the networks, not how their scores are weighed."""
    _, tensors = read_tensor_file(_path(model))
    return sha256_arrays({name: each for name, each in tensors.items() if not name.startswith(RANKING_PREFIX)})


def linear_sum_of(model: str | os.PathLike[str] | None) -> dict[str, dict[str, float]]:
    """The weights {kind: {evidence: weight}} of a model (None: that ships); kinds are `single` and `group`."""
    ranker = load_ranker(model)
    weights = {}
    for kind, n_spectra in (("single", 1), ("group", 2)):
        fusion = ranker.fusion(n_spectra)
        own = {"cosine": fusion.cosine_weight, "fragment_score": fusion.fragment_weight}
        weights[kind] = own | dict(reference_fusion(ranker.config, n_spectra).weights)
    return weights
