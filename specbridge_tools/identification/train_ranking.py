"""From spectra of known molecules to a ranking of all evidence."""

from __future__ import annotations

import collections
import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from specbridge_tools.errors import DataError
from specbridge_tools.identification.identify import identify
from specbridge_tools.identification.ranked import evidence_of
from specbridge_tools.identification.references import References
from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.progress import SilentProgress
from specbridge_tools.ranking.ranking_file import add_ranking
from specbridge_tools.ranking.training.fit import FOLDS, RankingFit, fit_ranking
from specbridge_tools.ranking.training.lists import LabelledList
from specbridge_tools.ranking.training.train import DEFAULT_OPTIONS, TrainingOptions
from specbridge_tools.records import NO_STRUCTURE, Rejection, Tally
from specbridge_tools.search.candidates.tolerance import DEFAULT_TOLERANCE, Tolerance
from specbridge_tools.search.search import SearchOptions
from specbridge_tools.spectra.spectrum import Spectrum

GROUP_FIELD = "compound_ion"
_WITHOUT_REFERENCE = 4


@dataclasses.dataclass(frozen=True)
class ListOptions:
    """Which lists are made.

    Attributes:
        each: Spectra of one molecule and adduct, at most; they are also answered together, as a group.
        tolerance: Of the neutral mass.
        references: Files of reference spectra, as `References` takes them.
        seed: Of the draw of the molecules whose own reference spectra stay.
    """

    each: int = 4
    tolerance: Tolerance = DEFAULT_TOLERANCE
    references: Sequence[str] = ()
    seed: int = 0


def train_ranking(
    spectra: Iterable[Spectrum | Rejection],
    *,
    index: str | os.PathLike[str] | Sequence[str],
    model: str | os.PathLike[str] | None,
    output: str | os.PathLike[str],
    lists: ListOptions = ListOptions(),
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
        lists: Which lists are made.
        training: Of the networks.
        tally: Counts the spectra.
        display: Advances by one for each list and each training.
        force: Replace `output`.
        settings: Of `identify`: device, batch_size, threads.

    Returns:
        The fit, and the lists that it was fitted to, in the order of its scores.

    Raises:
        DataError: Where spectra or molecules are too few.
    """
    from specbridge_tools import pretrained

    display = display or SilentProgress()
    tally = tally or Tally(noun="spectra")
    chosen = list(few_of_each(tally.usable(_with_structure(spectra)), each=lists.each))
    if not chosen:
        raise DataError("no spectrum with a structure", advice="name it in the metadata: SMILES, InChI or InChIKey")
    made = []
    for one in labelled_lists(chosen, lists, index=index, model=model, **settings):
        made.append(one)
        display.advance(1)
    fit = fit_ranking(made, options=training, folds=FOLDS, seed=training.seed, progress=lambda: display.advance(1))
    add_ranking(fit.ranking, pretrained.MODEL if model is None else model, output, force=force)
    return fit, made


def _with_structure(spectra: Iterable[Spectrum | Rejection]) -> Iterator[Spectrum | Rejection]:
    for record in spectra:
        if isinstance(record, Rejection) or structure_key(record) is not None:
            yield record
        else:
            yield Rejection(NO_STRUCTURE, record.id, record.record)


def few_of_each(spectra: Iterable[Spectrum], *, each: int) -> Iterator[Spectrum]:
    """Yield the first `each` spectra of every molecule and adduct, named by the field `GROUP_FIELD`."""
    seen: collections.Counter[str] = collections.Counter()
    for spectrum in spectra:
        name = f"{structure_key(spectrum)} {spectrum.adduct}"
        seen[name] += 1
        if seen[name] <= each:
            yield dataclasses.replace(spectrum, metadata={**spectrum.metadata, GROUP_FIELD: name})


def labelled_lists(spectra: Sequence[Spectrum], options: ListOptions, **settings: Any) -> Iterator[LabelledList]:
    """Yield the list of each spectrum that has candidates, then of each group of several spectra.

    Of half of the molecules, drawn at random, all reference spectra are left out; of the others those of the spectrum's
    own contributor. Every fourth list is made without references as well.
    """
    molecules = sorted({str(structure_key(spectrum)) for spectrum in spectra})
    drawn = np.random.default_rng(options.seed).permutation(len(molecules))
    number = dict(zip(molecules, drawn.tolist(), strict=True))
    sizes = collections.Counter(spectrum.metadata[GROUP_FIELD] for spectrum in spectra)
    grouped = [spectrum for spectrum in spectra if sizes[spectrum.metadata[GROUP_FIELD]] > 1]
    for field, part in ((None, spectra), (GROUP_FIELD, grouped)):
        search = SearchOptions(top=0, tolerance=options.tolerance, group_by=field)
        for place, leave_out in enumerate(("molecule", "contributor")):
            own = [spectrum for spectrum in part if number[str(structure_key(spectrum))] % 2 == place]
            made = _lists(own, search, references=References(options.references, leave_out), **settings)
            for row, one in enumerate(made):
                yield one
                if one.evidence.query.has_reference and row % _WITHOUT_REFERENCE == 0:
                    yield dataclasses.replace(one, evidence=one.evidence.without_reference())


def _lists(spectra: Sequence[Spectrum], search: SearchOptions, **settings: Any) -> Iterator[LabelledList]:
    if not spectra:
        return
    with identify(spectra, options=search, **settings) as identified:
        for hits in identified:
            if len(hits):
                keys, molecule = hits.column("inchikey14"), str(structure_key(hits.spectra[0]))
                yield LabelledList(evidence_of(hits), keys.index(molecule) if molecule in keys else -1, molecule)
