"""From molecules with their spectra to trained fragment networks, stage by stage of a recipe."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from specbridge_tools.errors import DataError, MismatchError
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.ranker_file import load_ranker
from specbridge_tools.fragmentation.network.torch_network import TrainableNetwork
from specbridge_tools.fragmentation.network.weight_shapes import Weights
from specbridge_tools.fragmentation.training.examples import ExampleCounts, Isomers, MeasuredMolecule, make_examples
from specbridge_tools.fragmentation.training.forked import run_forked
from specbridge_tools.fragmentation.training.recipe import GIVEN, Stage, Widths, check_recipe
from specbridge_tools.fragmentation.training.stage_files import StageFiles, make_folder, stage_description
from specbridge_tools.fragmentation.training.train import CONFIG, Example, train
from specbridge_tools.hits.expected_rank import RECALL_CUTOFFS, expected_recall, tie_counts
from specbridge_tools.processes import ALONE, Processes
from specbridge_tools.progress import SilentProgress
from specbridge_tools.threads import one_blas_thread

logger = logging.getLogger(__name__)
Molecules = Mapping[str, MeasuredMolecule]
AfterExamples = Callable[[str, ExampleCounts], None]
VALIDATION_MOLECULES, VALIDATION_DECOYS = 60, 150


@dataclasses.dataclass(frozen=True)
class EpochReport:
    """What is told of an epoch.

    Attributes:
        stage: Its name.
        epoch: From 1.
        epochs: Of the stage.
        loss: Mean over the examples of the first process.
        recall: At 1, 5 and 20 over the spectra for validation; None without any.
    """

    stage: str
    epoch: int
    epochs: int
    loss: float
    recall: tuple[float, ...] | None


AfterEpoch = Callable[[EpochReport], None]


def train_networks(
    molecules: Molecules,
    isomers: Isomers,
    recipe: Sequence[Stage],
    *,
    folder: str | os.PathLike[str],
    validation: Molecules | None = None,
    start: Weights | None = None,
    inputs: Mapping[str, Any] | None = None,
    n_processes: int = 1,
    processes: Processes = ALONE,
    after_examples: AfterExamples | None = None,
    after_epoch: AfterEpoch | None = None,
    display: SilentProgress | None = None,
) -> Ranker:
    """Train the networks of a recipe; those that the folder holds are not trained again.

    What was interrupted goes on from its last epoch, and ends with the same bytes if there are as many processes.

    Args:
        molecules: To learn from, by first InChIKey block.
        isomers: From which decoys are drawn.
        recipe: The stages, in order.
        folder: Where each stage leaves its files (`stage_files`); it is made.
        validation: Other molecules, some of which are ranked after each epoch.
        start: The network that a stage starts from which starts from GIVEN.
        inputs: Further plain values on which the networks depend, to be noted with them.
        n_processes: That train together, on this machine; 1 trains in this process.
        processes: That torchrun has started. Where there are several, all call this function, each trains itself, and
            the first one writes the files.
        after_examples: Called with the name of each stage that is trained, and what became of the molecules.
        after_epoch: Called after each epoch, in the first process.
        display: Advances by one for each molecule, before each stage.

    Returns:
        The network of the last stage; its score is the fragment score. `training` in its configuration says how it was
        trained, and `held_back` names the molecules for validation.

    Raises:
        DataError: Where no molecule can be learned from.
        FormatError: Where the folder has files of a stage that were made from something else.
        MismatchError: Where a molecule is in both, or a network to start from has other widths than the stage.
    """
    check_recipe(recipe)
    _refuse_shared(molecules, validation or {})
    run = _Run(molecules, isomers, validation or {}, n_processes, processes, after_epoch or _ignore, display)
    if processes.is_first:
        make_folder(folder)
    files = {stage.name: StageFiles(folder, stage.name) for stage in recipe}
    for stage in recipe:
        if processes.is_first:
            files[stage.name].begin(stage_description(stage, recipe, molecules, start=start, inputs=inputs))
        # no process looks for what the first one is about to write
        is_finished = processes.broadcast(files[stage.name].is_finished)
        if not is_finished:
            weights = start if stage.start_from == GIVEN else None
            if stage.start_from not in (None, GIVEN):
                weights = files[str(stage.start_from)].weights()
            teachers = [files[name].weights() for name in stage.teachers]
            run.stage(stage, files[stage.name], weights, teachers, after_examples)
            processes.barrier()
    last = load_ranker(files[recipe[-1].name].ranker)
    return dataclasses.replace(last, config={**last.config, "held_back": sorted(validation or ())})


def _ignore(report: EpochReport) -> None:
    """Nobody wants to know."""


def _refuse_shared(molecules: Molecules, validation: Molecules) -> None:
    shared = sorted(molecules.keys() & validation.keys())
    if shared:
        raise MismatchError(
            f"{len(shared)} molecules are in training and validation, e.g. {shared[0]}",
            advice="leave them out of one of the two",
        )


class _Run:
    """What the stages of one training have in common."""

    def __init__(
        self,
        molecules: Molecules,
        isomers: Isomers,
        validation: Molecules,
        n_processes: int,
        processes: Processes,
        after_epoch: AfterEpoch,
        display: SilentProgress | None,
    ) -> None:
        self._molecules = molecules
        self._isomers = isomers
        self._n_processes = n_processes
        self._processes = processes
        self._after_epoch = after_epoch
        self._display = display
        self._validation = validation
        self._ranked: list[Example] | None = None

    def stage(
        self,
        stage: Stage,
        files: StageFiles,
        weights: Weights | None,
        teachers: Sequence[Weights],
        after_examples: AfterExamples | None,
    ) -> None:
        """Train one network, and write it."""
        network = new_network(stage, weights)
        ranked = self._ranked_examples()
        examples, counts = make_examples(
            self._molecules,
            self._isomers,
            spectra_each=stage.spectra_each,
            seed=stage.training.seed,
            display=self._display,
        )
        if after_examples is not None:
            after_examples(stage.name, counts)
        if not examples:
            raise DataError(
                f"no molecule can be learned from: {counts.summary()}",
                advice="give spectra with fragment peaks, of molecules that the index has isomers of",
            )

        def work(processes: Processes, report: AfterEpoch) -> None:
            _train_stage(network, stage, files, examples, ranked, teachers, processes, report)

        if self._n_processes > 1 and self._processes.world_size == 1:
            run_forked(self._n_processes, work, self._after_epoch)
        else:
            with _one_thread():
                work(self._processes, self._after_epoch)

    def _ranked_examples(self) -> list[Example]:
        """What the first process ranks after each epoch."""
        if self._ranked is None:
            keys = np.random.default_rng(0).permutation(sorted(self._validation))[:VALIDATION_MOLECULES].tolist()
            chosen = {key: self._validation[key] for key in keys} if self._processes.is_first else {}
            self._ranked, counts = make_examples(chosen, self._isomers, most_decoys=VALIDATION_DECOYS)
            if chosen:
                logger.info("validation: %s", counts.summary())
        return self._ranked


def new_network(stage: Stage, weights: Weights | None = None) -> TrainableNetwork:
    """The network that a stage starts with: random, by the seed of its training, or of given weights.

    Raises:
        MismatchError: Where the given weights are of other widths.
    """
    if weights is not None and Widths.of(weights) != stage.widths:
        raise MismatchError(
            f"the network to start from has the widths {tuple(Widths.of(weights))}, expected {tuple(stage.widths)}",
            advice="start from another one, or train from the beginning",
        )
    atom, hidden, last = stage.widths
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stage.training.seed)
        network = TrainableNetwork(atom_size=atom, hidden_size=hidden, last_size=last, dropout=stage.dropout)
    if weights is not None:
        network.set_weights(weights)
    return network


def _train_stage(
    network: TrainableNetwork,
    stage: Stage,
    files: StageFiles,
    examples: Sequence[Example],
    ranked: Sequence[Example],
    teachers: Sequence[Weights],
    processes: Processes,
    report: AfterEpoch,
) -> None:
    """Train as one of the processes; the first one reports and writes."""

    def after_epoch(epoch: int, loss: float) -> None:
        recall = recall_of(Ranker([network.weights()], CONFIG), ranked) if ranked else None
        report(EpochReport(stage.name, epoch + 1, stage.training.epochs, loss, recall))

    train(
        network,
        examples,
        stage.training,
        teacher=Ranker(list(teachers), CONFIG) if teachers else None,
        after_epoch=after_epoch,
        state_path=files.state,
        processes=processes,
    )
    if processes.is_first:
        # not before: who finds the file takes it for finished
        files.finish(Ranker([network.weights()], {**CONFIG, "training": dataclasses.asdict(stage.training)}))


def recall_of(ranker: Ranker, examples: Sequence[Example]) -> tuple[float, ...]:
    """Recall at 1, 5 and 20 over the spectra of at least one example; ties count at their expected rank."""
    with one_blas_thread():
        scores = [
            evidence.score.round(5)
            for example in examples
            for evidence in ranker.evidence(list(map(ranker.encode, example.candidates())), example.peaks)
        ]
    above, tied = np.transpose([tie_counts(score, 0) for score in scores])  # the first candidate is the truth
    return tuple(float(expected_recall(above, tied, k).mean()) for k in RECALL_CUTOFFS)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Context in which torch uses one thread: the arrays of one molecule are too small to gain from a second."""
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(count)
