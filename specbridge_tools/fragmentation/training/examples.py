"""From molecules with their spectra to the examples that the fragment networks learn from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from specbridge_tools.errors import DataError
from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks
from specbridge_tools.fragmentation.training.train import Example, cut
from specbridge_tools.molecules.identity import structure
from specbridge_tools.progress import SilentProgress
from specbridge_tools.records import NO_STRUCTURE, Rejection, Tally
from specbridge_tools.spectra.choose import only
from specbridge_tools.spectra.spectrum import Spectrum

Isomers = Callable[[float], Sequence[tuple[str, str]]]
"""Neutral monoisotopic mass (Da) -> (first InChIKey block, canonical SMILES) of the molecules within 10 ppm, in an
order that does not change: what is drawn goes by it."""
MOST_DECOYS = 1000
_LEAST_CANDIDATES = 3
_LOOKED_AT = 3  # spectra, for each that is wanted


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
class ExampleCounts:
    """What became of molecules: each has an example, or is counted under the first reason why not.

    Attributes:
        molecules: All.
        examples: Of so many molecules.
        without_fragments: No spectrum that was looked at has a peak below the precursor.
        too_few_candidates: With its decoys there are fewer than three.
        not_cut: The molecule cannot be cut.
        candidates: Of all examples, the truths included.
    """

    molecules: int = 0
    examples: int = 0
    without_fragments: int = 0
    too_few_candidates: int = 0
    not_cut: int = 0
    candidates: int = 0

    def summary(self) -> str:
        """One line, such as `5 of 7 molecules with 90 candidates; left out: 2 without fragment peaks`."""
        text = f"{self.examples:,} of {self.molecules:,} molecules with {self.candidates:,} candidates"
        reasons = (
            (self.without_fragments, "without fragment peaks"),
            (self.too_few_candidates, f"with fewer than {_LEAST_CANDIDATES} candidates"),
            (self.not_cut, "that cannot be cut"),
        )
        left_out = ", ".join(f"{count:,} {reason}" for count, reason in reasons if count)
        return text + (f"; left out: {left_out}" if left_out else "")


def measured_molecules(records: Iterable[Spectrum | Rejection], tally: Tally) -> dict[str, MeasuredMolecule]:
    """Collect the spectra of each molecule, {first InChIKey block: molecule}.

    Args:
        records: Spectra whose metadata name their structure.
        tally: Counts them; spectra without a structure are rejected.
    """
    molecules: dict[str, MeasuredMolecule] = {}
    named = only(records, lambda spectrum: structure(spectrum) is not None, NO_STRUCTURE)
    for spectrum in tally.usable(named):
        form = structure(spectrum)
        if form is not None:
            molecule = MeasuredMolecule(form.smiles, form.exact_mass, [])
            molecules.setdefault(form.inchikey14, molecule).spectra.append(spectrum)
    return molecules


def make_examples(
    molecules: Mapping[str, MeasuredMolecule],
    isomers: Isomers,
    *,
    spectra_each: int = 8,
    most_decoys: int = MOST_DECOYS,
    seed: int = 0,
    display: SilentProgress | None = None,
) -> tuple[list[Example], ExampleCounts]:
    """Draw spectra of each molecule, and find its decoys.

    Args:
        molecules: By first InChIKey block.
        isomers: Among which decoys are.
        spectra_each: Of a molecule, at most.
        most_decoys: Of a molecule; of more, so many are drawn.
        seed: Of what is drawn.
        display: Advances by one for each molecule.

    Returns:
        The examples in the order of their keys, and what became of the molecules.
    """
    display = display or SilentProgress()
    examples: list[Example] = []
    counts = dict.fromkeys((field.name for field in dataclasses.fields(ExampleCounts)), 0)
    counts["molecules"] = len(molecules)
    for number, key in enumerate(sorted(molecules)):
        rng = np.random.default_rng((seed, number))
        made = _example(key, molecules[key], isomers(molecules[key].exact_mass), spectra_each, most_decoys, rng)
        if isinstance(made, Example):
            examples.append(made)
            counts["candidates"] += 1 + len(made.decoys)
        else:
            counts[made] += 1
        display.advance(1)
    return examples, ExampleCounts(**counts | {"examples": len(examples)})


def _example(
    key: str,
    molecule: MeasuredMolecule,
    pool: Sequence[tuple[str, str]],
    spectra_each: int,
    most_decoys: int,
    rng: np.random.Generator,
) -> Example | str:
    """The example of a molecule, or the field of `ExampleCounts` that says why there is none."""
    others = [pool[row][1] for row in rng.permutation(len(pool)).tolist() if pool[row][0] != key]
    rows = rng.permutation(len(molecule.spectra))[: _LOOKED_AT * spectra_each].tolist()
    prepared = (prepare_peaks(molecule.spectra[row]) for row in rows)
    peaks = [each for each in prepared if (~each.at_precursor).any()][:spectra_each]
    if not peaks:
        return "without_fragments"
    if 1 + len(others) < _LEAST_CANDIDATES:
        return "too_few_candidates"
    try:
        return Example(key, cut(molecule.smiles), others[:most_decoys], peaks)
    except DataError:
        return "not_cut"
