"""From molecules with their spectra to the examples that the fragment networks learn from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from specbridge_tools.errors import DataError
from specbridge_tools.fragmentation.fragments.fragmenter import CAPACITY, COST_LIMIT
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.peaks.prepare import Peaks, prepare_peaks
from specbridge_tools.fragmentation.training.train import Example
from specbridge_tools.molecules.identity import structure
from specbridge_tools.progress import SilentProgress
from specbridge_tools.records import NO_STRUCTURE, Rejection, Tally
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.worker_pool import WorkerPool

Isomers = Callable[[float], Sequence[tuple[str, str]]]
"""Neutral monoisotopic mass (Da) -> (first InChIKey block, canonical SMILES) of the molecules within 10 ppm, in an
order that does not change: what is drawn goes by it."""
CONFIG = {"capacity": CAPACITY, "limit": COST_LIMIT, "cosine_weight": 0.0, "fragment_weight": 1.0}
"""Configuration of a ranker whose score is the fragment score."""
_Made = tuple[Example | None, str, int]
_LEAST_CANDIDATES = 3
_LOOKED_AT = 3  # spectra, for each that is wanted
_AHEAD = 4  # molecules that wait for each worker
_PER_WORKER = 4  # molecules at least: starting one takes as long as they do


@dataclasses.dataclass(frozen=True, eq=False)
class MeasuredMolecule:
    """A molecule with spectra.

    Attributes:
        smiles: Canonical.
        exact_mass: Da, of the neutral molecule.
        spectra: At least one.
    """

    smiles: str
    exact_mass: float
    spectra: list[Spectrum]


@dataclasses.dataclass(frozen=True)
class ExampleOptions:
    """What an example holds.

    Attributes:
        spectra_each: At most so many spectra of a molecule.
        decoys_each: At most so many of its isomers.
    """

    spectra_each: int = 8
    decoys_each: int = 32

    def __post_init__(self) -> None:
        if min(self.spectra_each, self.decoys_each) < 1:
            raise ValueError(f"numbers of spectra and decoys are at least 1, but this is {self}")


@dataclasses.dataclass(frozen=True)
class ExampleCounts:
    """What became of molecules: each has an example, or is counted under the first reason why not.

    Attributes:
        molecules: All.
        examples: Of so many molecules.
        without_fragments: No spectrum that was looked at has a peak below the precursor.
        not_cut: The molecule cannot be cut.
        too_few_candidates: With its decoys there are fewer than three.
        candidates: Of all examples, the truths included.
        decoys_not_cut: Decoys that were drawn for examples and left out since they cannot be cut.
    """

    molecules: int = 0
    examples: int = 0
    without_fragments: int = 0
    not_cut: int = 0
    too_few_candidates: int = 0
    candidates: int = 0
    decoys_not_cut: int = 0

    def summary(self) -> str:
        """One line, such as `5 of 7 molecules with 90 candidates; left out: 2 without fragment peaks`."""
        text = f"{self.examples:,} of {self.molecules:,} molecules with {self.candidates:,} candidates"
        reasons = (
            (self.without_fragments, "without fragment peaks"),
            (self.not_cut, "that cannot be cut"),
            (self.too_few_candidates, f"with fewer than {_LEAST_CANDIDATES} candidates"),
            (self.decoys_not_cut, "decoys that cannot be cut"),
        )
        left_out = ", ".join(f"{count:,} {reason}" for count, reason in reasons if count)
        return text + (f"; left out: {left_out}" if left_out else "")


class _Task(NamedTuple):
    """What a worker makes an example of: the truth is the first SMILES."""

    key: str
    smiles: list[str]
    peaks: list[Peaks]


def measured_molecules(records: Iterable[Spectrum | Rejection], tally: Tally) -> dict[str, MeasuredMolecule]:
    """Collect the spectra of each molecule, {first InChIKey block: molecule}.

    Args:
        records: Spectra whose metadata name their structure.
        tally: Counts them; spectra without a structure are rejected.
    """
    molecules: dict[str, MeasuredMolecule] = {}
    for spectrum in tally.usable(_with_structure(records)):
        form = structure(spectrum)
        if form is not None:
            molecule = MeasuredMolecule(form.smiles, form.exact_mass, [])
            molecules.setdefault(form.inchikey14, molecule).spectra.append(spectrum)
    return molecules


def _with_structure(records: Iterable[Spectrum | Rejection]) -> Iterator[Spectrum | Rejection]:
    for record in records:
        if isinstance(record, Rejection):
            yield record
        elif structure(record) is None:
            yield Rejection(NO_STRUCTURE, record.id, record.record, record.line)
        else:
            yield record


def make_examples(
    molecules: Mapping[str, MeasuredMolecule],
    isomers: Isomers,
    options: ExampleOptions,
    *,
    seed: int = 0,
    n_workers: int = 1,
    display: SilentProgress | None = None,
) -> tuple[list[Example], ExampleCounts]:
    """Draw spectra and decoys of each molecule, and cut it and its decoys.

    Args:
        molecules: By first InChIKey block.
        isomers: From which decoys are drawn.
        options: How many of them.
        seed: Of what is drawn.
        n_workers: Processes that cut, at most; 1 cuts in this one, which cuts few molecules, too.
        display: Advances by one for each molecule.

    Returns:
        The examples in the order of their keys, and what became of the molecules.
    """
    display = display or SilentProgress()
    tasks = (
        _drawn(key, molecules[key], isomers, options, np.random.default_rng((seed, number)))
        for number, key in enumerate(sorted(molecules))
    )
    examples: list[Example] = []
    counts = dict.fromkeys((field.name for field in dataclasses.fields(ExampleCounts)), 0)
    counts["molecules"] = len(molecules)
    for example, reason, n_skipped in _made(tasks, min(n_workers, len(molecules) // _PER_WORKER)):
        if example is None:
            counts[reason] += 1
        else:
            examples.append(example)
            counts["candidates"] += len(example.candidates)
            counts["decoys_not_cut"] += n_skipped
        display.advance(1)
    return examples, ExampleCounts(**counts | {"examples": len(examples)})


def _drawn(
    key: str, molecule: MeasuredMolecule, isomers: Isomers, options: ExampleOptions, rng: np.random.Generator
) -> _Task | str:
    """The truth, decoys and spectra of one molecule, or the field of `ExampleCounts` that says why there are none."""
    pool = isomers(molecule.exact_mass)
    others = [pool[row][1] for row in rng.permutation(len(pool)).tolist() if pool[row][0] != key]
    rows = rng.permutation(len(molecule.spectra))[: _LOOKED_AT * options.spectra_each].tolist()
    prepared = (prepare_peaks(molecule.spectra[row]) for row in rows)
    peaks = [each for each in prepared if (~each.at_precursor).any()][: options.spectra_each]
    if not peaks:
        return "without_fragments"
    return _Task(key, [molecule.smiles, *others[: options.decoys_each]], peaks)


def _made(tasks: Iterable[_Task | str], n_workers: int) -> Iterator[_Made]:
    if n_workers <= 1:
        yield from map(_example, tasks)
        return
    with WorkerPool(n_workers, _example) as pool:
        for _, made in pool.map_in_order(((None, task) for task in tasks), ahead=_AHEAD):
            yield made


def _example(task: _Task | str) -> _Made:
    """(the example or None, the reason why there is none, how many decoys cannot be cut)."""
    if isinstance(task, str):
        return None, task, 0
    ranker = Ranker([], CONFIG)
    candidates = []
    for smiles in task.smiles:
        try:
            candidates.append(ranker.candidate(smiles))
        except DataError:
            if not candidates:
                return None, "not_cut", 0
    if len(candidates) < _LEAST_CANDIDATES:
        return None, "too_few_candidates", 0
    return Example(task.key, candidates, task.peaks), "", len(task.smiles) - len(candidates)
