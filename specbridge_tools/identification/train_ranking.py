"""From spectra of known molecules to a ranking of all evidence."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from specbridge_tools import pretrained
from specbridge_tools.errors import DataError
from specbridge_tools.fragmentation.network.ranker_file import load_ranker
from specbridge_tools.identification.ranking_lists import ListOptions, few_of_each, labelled_lists
from specbridge_tools.identification.references import reference_fusion
from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.progress import SilentProgress
from specbridge_tools.ranking.ranking_file import add_ranking
from specbridge_tools.ranking.training.fit import FOLDS, RankingFit, fit_ranking
from specbridge_tools.ranking.training.list_file import read_lists, write_lists
from specbridge_tools.ranking.training.lists import LabelledList
from specbridge_tools.ranking.training.train import DEFAULT_OPTIONS, TrainingOptions
from specbridge_tools.records import NO_STRUCTURE, Rejection, Tally
from specbridge_tools.spectra.spectrum import Spectrum

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
    tally: Tally | None = None,
    display: SilentProgress | None = None,
    force: bool = False,
    **settings: Any,
) -> tuple[RankingFit, list[LabelledList]]:
    """Fit a ranking to the candidate lists of spectra, and write the model with it.

    Args:
        spectra: Of molecules that neither the spectral encoder nor the fragment networks of the model were trained on.
            Their metadata name their structure.
        index: What is searched: it should hold the molecules of the spectra, among others.
        model: Whose ranking is replaced; None for the model that ships.
        output: The model with the ranking.
        options: Which lists are made.
        kept: A file of lists: read where it is there, so that nothing is searched again, else written.
        training: Of the networks.
        tally: Counts the spectra.
        display: Advances by one for each spectrum and each training.
        force: Replace `output`.
        settings: Of `identify`: device, batch_size, threads.

    Returns:
        The fit, and the lists that it was fitted to, in the order of what it scored.

    Raises:
        DataError: Where spectra or molecules are too few.
        FormatError: Where the lists that were kept are others.
        MismatchError: Where no reference spectra belong to the model.
    """
    display = display or SilentProgress()
    tally = tally or Tally(noun="spectra")
    chosen = list(few_of_each(tally.usable(_with_structure(spectra)), each=options.each))
    if not chosen:
        raise DataError("no spectrum with a structure", advice="name it in the metadata: SMILES, InChI or InChIKey")
    made_by = f"{len(chosen)} spectra, {chosen[0].id} to {chosen[-1].id}, {options}"
    if kept is not None and Path(kept).exists():
        lists = read_lists(kept, made_by=made_by)
    else:
        lists = list(labelled_lists(chosen, options, model=model, display=display, index=index, **settings))
        if kept is not None and lists:
            write_lists(lists, kept, made_by=made_by)
    fit = fit_ranking(
        lists, linear=linear_sum_of(model), options=training, folds=FOLDS, seed=training.seed,
        progress=lambda: display.advance(1),
    )  # fmt: skip
    add_ranking(fit.ranking, pretrained.MODEL if model is None else model, output, force=force)
    return fit, lists


def linear_sum_of(model: str | os.PathLike[str] | None) -> dict[str, dict[str, float]]:
    """The weights {kind: {evidence: weight}} of a model (None: that ships); kinds are `single` and `group`."""
    ranker = load_ranker(model)
    weights = {}
    for kind, n_spectra in (("single", 1), ("group", 2)):
        fusion = ranker.fusion(n_spectra)
        own = {"cosine": fusion.cosine_weight, "fragment_score": fusion.fragment_weight}
        weights[kind] = own | dict(reference_fusion(ranker.config, n_spectra).weights)
    return weights


def _with_structure(spectra: Iterable[Spectrum | Rejection]) -> Iterator[Spectrum | Rejection]:
    for record in spectra:
        if isinstance(record, Rejection) or structure_key(record) is not None:
            yield record
        else:
            yield Rejection(NO_STRUCTURE, record.id, record.record)
