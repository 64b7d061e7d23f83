"""Which fragment of a candidate explains which peak, for people."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.fragmentation.fragments.batch import candidate_arrays
from specbridge_tools.fragmentation.fragments.fragment_smiles import fragment_smiles
from specbridge_tools.fragmentation.fragments.fragmenter import Fragments
from specbridge_tools.fragmentation.network.ranker import KnownCandidate, Ranker
from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS, SHIFTS
from specbridge_tools.fragmentation.peaks.prepare import Peaks
from specbridge_tools.molecules.formula import hill
from specbridge_tools.threads import one_blas_thread

_REMEMBERED = 32  # candidates


@dataclasses.dataclass(frozen=True)
class Explanation:
    """One explained peak of a candidate.

    Attributes:
        mz: Of the peak.
        intensity: Of the peak.
        ion_mz: m/z of the fragment ion.
        fragment_smiles: The fragment, with open valences where bonds are cut.
        fragment_formula: Of the ion, without the metal of an adduct, with its charge.
        hydrogen_shift: Hydrogens gained (lost, when negative) beyond those that the fragment's atoms have.
        cost: Of the cut bonds.
        n_cuts: Number of the cut bonds.
        probability: Of this ion, among all of the candidate, by the ranker.
        atoms: Of the fragment, by their numbers in the SMILES, ascending.
    """

    mz: float
    intensity: float
    ion_mz: float
    fragment_smiles: str
    fragment_formula: str
    hydrogen_shift: int
    cost: int
    n_cuts: int
    probability: float
    atoms: tuple[int, ...]


FIELDS = tuple(field.name for field in dataclasses.fields(Explanation) if field.name != "atoms")
"""What tables of explained peaks have."""


def explain(ranker: Ranker, smiles: str, peaks: Peaks) -> list[Explanation]:
    """Explain each peak that a fragment of the candidate explains by the most probable ion.

    A candidate that cannot be cut explains nothing.
    """
    if not len(peaks.mz):
        return []
    with one_blas_thread():
        try:
            fragments, known = _cut(ranker, smiles)
        except DataError:
            return []
        (evidence,) = ranker.evidence([known], [peaks])
    # the most probable first; equal ones in the order of the fragments, cheapest first
    order = np.lexsort((evidence.matches[:, 0], -evidence.log_probability))
    best: dict[int, int] = {}
    for row in order.tolist():
        best.setdefault(int(evidence.matches[row, 2]), row)
    return [
        _explanation(fragments, peaks, evidence.matches[row], float(np.exp(evidence.log_probability[row])))
        for _, row in sorted(best.items())
    ]


@functools.lru_cache(_REMEMBERED)
def _cut(ranker: Ranker, smiles: str) -> tuple[Fragments, KnownCandidate]:
    """A candidate's fragments and what the networks make of them, which several spectra of a compound ask for."""
    fragments = ranker.fragments(smiles)
    return fragments, ranker.encode(candidate_arrays(fragments))


def _explanation(fragments: Fragments, peaks: Peaks, match: NDArray[np.int64], probability: float) -> Explanation:
    index, ion, peak = (int(value) for value in match)
    shift, charge_carrier = int(SHIFTS[ion % N_SHIFTS]), ion // N_SHIFTS
    graph, atoms = fragments.graph, fragments.atoms(index)
    counts: dict[str, int] = {}
    for atom in np.flatnonzero(atoms):
        counts[graph.elements[atom]] = counts.get(graph.elements[atom], 0) + 1
    hydrogens = int(graph.hydrogens[atoms].sum()) + shift
    if hydrogens:
        counts["H"] = counts.get("H", 0) + hydrogens
    return Explanation(
        float(peaks.mz[peak]),
        float(peaks.intensity[peak]),
        float(peaks.kind.mz(fragments.masses[index], shift, charge_carrier)),
        fragment_smiles(graph, atoms),
        hill(counts, peaks.kind.polarity),
        shift,
        int(fragments.cost[index]),
        len(fragments.cut_bonds(index)),
        probability,
        tuple(np.flatnonzero(atoms).tolist()),
    )
