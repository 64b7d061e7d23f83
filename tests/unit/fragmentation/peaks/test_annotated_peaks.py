"""The fragments of known molecules against the peaks of their real spectra.

`annotated_peaks.tsv` was written by `annotate_peaks.py`, which shares no code with the package, from 83 records of
MassBank, of 74 molecules with 6 to 53 heavy atoms.
"""

import collections
import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from specbridge_tools.fragmentation.fragments.batch import CandidateBatch, candidate_arrays
from specbridge_tools.fragmentation.fragments.fragmenter import fragment
from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS, SHIFTS
from specbridge_tools.fragmentation.peaks.match import match_ions
from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks
from specbridge_tools.molecules.formula import parse_formula
from specbridge_tools.molecules.smiles_graph import molecular_graph
from specbridge_tools.spectra.reader import read_spectra

HERE = Path(__file__).parent
EXAMPLES = Path(__file__).parents[4] / "examples" / "spectra.mgf"


@pytest.fixture(scope="module")
def annotation():
    """{record: [(m/z, intensity, atoms of the ion)]}"""
    peaks = collections.defaultdict(list)
    with open(HERE / "annotated_peaks.tsv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            atoms, _ = parse_formula(row["ion_formula"])
            peaks[row["record"]].append((float(row["mz"]), float(row["intensity"]), atoms))
    return peaks


@pytest.fixture(scope="module")
def records(annotation):
    """The annotated spectra, lightest first."""
    found = [record for record in read_spectra(EXAMPLES) if record.id in annotation]
    return sorted(found, key=lambda record: record.precursor_mz)


@pytest.fixture
def shares(annotation, records, atoms_of_ion):
    """A function of one molecule a record: the share of the peaks that it explains, and of their intensity (mean)."""

    def shares_of(molecules):
        of_peaks, of_intensity = [], []
        for record, smiles in zip(records, molecules, strict=True):
            ions = matched_ions(record, smiles, atoms_of_ion)
            explained = [atoms in ions[mz] for mz, _, atoms in annotation[record.id]]
            of_peaks += explained
            of_intensity.append(np.average(explained, weights=[intensity for _, intensity, _ in annotation[record.id]]))
        return np.mean(of_peaks), np.mean(of_intensity)

    return shares_of


def matched_ions(record, smiles, atoms_of_ion):
    """{m/z of a peak: atoms of each fragment ion that is matched to it}"""
    fragments, peaks = fragment(molecular_graph(smiles)), prepare_peaks(record)
    ions = collections.defaultdict(list)
    for index, ion, peak in match_ions(CandidateBatch([candidate_arrays(fragments)]), peaks).tolist():
        ions[float(peaks.mz[peak])].append(atoms_of_ion(fragments, index, SHIFTS[ion % N_SHIFTS]))
    return ions


def test_the_annotation_is_what_its_script_writes():
    spec = importlib.util.spec_from_file_location("annotate_peaks", HERE / "annotate_peaks.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.table(EXAMPLES) == (HERE / "annotated_peaks.tsv").read_text(encoding="utf-8")


def test_the_annotation_holds_both_polarities_and_many_elements(annotation, records):
    assert collections.Counter(record.polarity for record in records) == {1: 57, -1: 26}
    assert sum(map(len, annotation.values())) == 235
    atoms = collections.Counter(symbol for peaks in annotation.values() for *_, ion in peaks for symbol in ion)
    assert set(atoms) == {"C", "H", "N", "O", "F", "P", "S", "Cl", "Br"}
    sizes = [molecular_graph(record.metadata["smiles"]).n_atoms for record in records]
    assert (min(sizes), max(sizes)) == (6, 53)


def test_fragments_of_the_true_molecule_explain_annotated_peaks(shares, records):
    # measured: 89.4 % of the peaks, 90.7 % of the intensity; the others are rearrangements
    of_peaks, of_intensity = shares([record.metadata["smiles"] for record in records])
    assert of_peaks > 0.88
    assert of_intensity > 0.89


def test_fragments_of_another_molecule_of_similar_mass_do_not(shares, records):
    # the next one in mass, in the median 1.4 % away; measured: 26 % of the peaks, 27 % of the intensity
    smiles = list(dict.fromkeys(record.metadata["smiles"] for record in records))
    following = dict(zip(smiles, smiles[1:] + smiles[:1], strict=True))
    of_peaks, of_intensity = shares([following[record.metadata["smiles"]] for record in records])
    assert of_peaks < 0.4
    assert of_intensity < 0.4
