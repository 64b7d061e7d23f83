"""Which fragment of a candidate explains which peak, for people."""

import dataclasses

import numpy as np

from specbridge_tools.errors import DataError
from specbridge_tools.fragmentation.fragments.fragment_smiles import fragment_smiles
from specbridge_tools.fragmentation.fragments.fragmenter import fragment
from specbridge_tools.fragmentation.network.batch import candidate_arrays
from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS, SHIFTS
from specbridge_tools.molecules.formula import hill


@dataclasses.dataclass(frozen=True)
class Explanation:
    """One explained peak of a candidate.

    mz, intensity     the peak
    ion_mz            m/z of the fragment ion
    fragment_smiles   the fragment, valences open where bonds are cut
    fragment_formula  of the ion, without the metal of an adduct, with its charge
    hydrogen_shift    hydrogens gained (lost, when negative) beyond those that the fragment's atoms have
    cost, n_cuts      cost and number of the cut bonds
    probability       of this ion, among all of the candidate, by the ranker
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


FIELDS = tuple(field.name for field in dataclasses.fields(Explanation))


def explain(ranker, smiles, peaks):
    """`Explanation` of each peak of `Peaks` that a fragment of the candidate explains, by its most probable ion.

    A candidate that cannot be cut explains nothing.
    """
    from specbridge_tools.molecules.chemistry import molecular_graph

    if not len(peaks.mz) or "." in smiles:
        return []
    try:
        graph = molecular_graph(smiles)
    except DataError:
        return []
    fragments = fragment(graph, capacity=ranker.config["capacity"], limit=ranker.config["limit"])
    (evidence,) = ranker.evidence([candidate_arrays(fragments)], [peaks])
    # the most probable first; equal ones in the order of the fragments, cheapest first
    order = np.lexsort((evidence.matches[:, 0], -evidence.log_probability))
    best = {}
    for row in order.tolist():
        best.setdefault(int(evidence.matches[row, 2]), row)
    return [
        _explanation(fragments, peaks, evidence.matches[row], float(np.exp(evidence.log_probability[row])))
        for _, row in sorted(best.items())
    ]


def _explanation(fragments, peaks, match, probability):
    index, ion, peak = (int(value) for value in match)
    shift, carrier = int(SHIFTS[ion % N_SHIFTS]), ion // N_SHIFTS
    graph, atoms = fragments.graph, fragments.atoms(index)
    counts = {}
    for atom in np.flatnonzero(atoms):
        counts[graph.elements[atom]] = counts.get(graph.elements[atom], 0) + 1
    hydrogens = int(graph.hydrogens[atoms].sum()) + shift
    if hydrogens:
        counts["H"] = counts.get("H", 0) + hydrogens
    return Explanation(
        float(peaks.mz[peak]),
        float(peaks.intensity[peak]),
        float(peaks.kind.mz(fragments.masses[index], shift, carrier)),
        fragment_smiles(graph, atoms),
        hill(counts, peaks.kind.polarity),
        shift,
        int(fragments.cost[index]),
        len(fragments.cut_bonds(index)),
        probability,
    )
