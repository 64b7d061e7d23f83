"""From spectra of known molecules to the network that scores their fragments, against molecules of the same mass."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.training.examples import ExampleCounts, Isomers, measured_molecules
from specbridge_tools.fragmentation.training.networks import EpochReport, train_networks
from specbridge_tools.fragmentation.training.recipe import DEFAULT_EPOCHS, default_recipe, further
from specbridge_tools.identification.sources import index_files
from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.processes import ALONE, Processes
from specbridge_tools.progress import SilentProgress
from specbridge_tools.records import Rejection, Tally
from specbridge_tools.search.candidates.tolerance import Tolerance
from specbridge_tools.search.index.reader import Index, digest_of_indexes, open_index
from specbridge_tools.spectra.choose import only
from specbridge_tools.spectra.spectrum import Spectrum

HELD_BACK = "molecule is held back"
_SAME_MASS = Tolerance.parse("10ppm")


@dataclasses.dataclass(frozen=True, eq=False)
class FragmentTraining:
    """What fragment networks are trained on, and where they are kept.

    Attributes:
        spectra: With structures.
        folder: Of the finished networks and of what an interrupted training goes on from.
        tally: Counts the spectra.
        epochs: Over the molecules, of the first network, of which the others take half as many, or of one that is
            trained further; None for `DEFAULT_EPOCHS`, or half of it.
        seed: Of everything that is drawn.
        n_processes: Of this machine, that train together.
        processes: Those that torchrun has started.
        after_examples: Called with the name of each network and the counts of what it learns from.
        after_epoch: Called with the report of each epoch.
        display: Advances by one for each molecule that is cut.
    """

    spectra: Iterable[Spectrum | Rejection]
    folder: str | os.PathLike[str]
    tally: Tally
    epochs: int | None = None
    seed: int = 0
    n_processes: int = 1
    processes: Processes = ALONE
    after_examples: Callable[[str, ExampleCounts], None] | None = None
    after_epoch: Callable[[EpochReport], None] | None = None
    display: SilentProgress | None = None


def train_fragments(
    training: FragmentTraining,
    *,
    held_back: Sequence[Spectrum],
    index: str | os.PathLike[str] | Sequence[str],
    start: Ranker | None,
) -> Ranker:
    """Train the network that scores fragments.

    Args:
        training: On what.
        held_back: Spectra whose molecules are left out of the training, and looked at after each epoch.
        index: Holds the molecules of the same mass among which the right one is to be told.
        start: The network that is trained further; None for new ones, of which the last is taught by all.

    Raises:
        DataError: Where no molecule is left to train on.
        FormatError: Where the folder holds networks that were made from other things.
    """
    files = index_files(index)
    validation = measured_molecules(held_back, Tally(noun="spectra"))
    # also those that only an InChIKey names, which cannot be looked at
    keys = {structure_key(spectrum) for spectrum in held_back}
    others = only(training.spectra, lambda spectrum: structure_key(spectrum) not in keys, HELD_BACK)
    molecules = measured_molecules(others, training.tally)
    weights = None if start is None else start.networks[0]
    if weights is None:
        recipe = default_recipe(training.epochs or DEFAULT_EPOCHS, seed=training.seed)
    else:
        recipe = further(weights, training.epochs or DEFAULT_EPOCHS // 2, seed=training.seed)
    inputs: dict[str, Any] = {"index": digest_of_indexes(files)}
    with opened_isomers(files) as isomers:
        return train_networks(
            molecules, isomers, recipe, folder=training.folder, validation=validation, start=weights,
            n_processes=training.n_processes, inputs=inputs, after_examples=training.after_examples,
            after_epoch=training.after_epoch, display=training.display, processes=training.processes,
        )  # fmt: skip


@contextlib.contextmanager
def opened_isomers(files: Sequence[str | os.PathLike[str]]) -> Iterator[Isomers]:
    """Yield what finds the molecules of a mass (Da) in index files: (InChIKey block, SMILES) of each, once."""
    with contextlib.ExitStack() as stack:
        indexes = [stack.enter_context(open_index(path)) for path in files]

        def isomers(mass: float) -> list[tuple[str, str]]:
            found: dict[str, str] = {}
            for each in indexes:
                for key, smiles in _of_mass(each, mass):
                    found.setdefault(key, smiles)
            return list(found.items())

        yield isomers


def _of_mass(index: Index, mass: float) -> Iterator[tuple[str, str]]:
    low, masses = index.mass_window(*_SAME_MASS.window(mass))
    keys = index.inchikey14.read(low, low + len(masses))
    smiles = index.texts["smiles"].read(low, low + len(masses))
    yield from zip((key.decode() for key in keys), smiles, strict=True)
