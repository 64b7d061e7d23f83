"""What the shipped model's probabilities are worth on spectra that took no part in training it or in fitting them.

None of the molecules of the examples did, nor any that is close to one of them (examples/README.md).
"""

import csv
import dataclasses
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from specbridge_tools.evaluation.calibration import (
    RELIABILITY_BINS,
    expected_calibration_error,
    precision_and_coverage,
)

SPECTRA = Path(__file__).parents[1] / "examples" / "spectra.mgf"
WAYS = {"cosine": ("--rerank", "0"), "reranked": (), "reranked groups": ("--group-by", "COMPOUND_ION")}
LARGEST_ERROR = 0.05  # aimed at; the error seen is at most its sum with what chance adds on so few molecules
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # who waits for the quickstart waits with others


@dataclasses.dataclass(frozen=True, eq=False)
class Answers:
    """The best hit of each of n queries.

    stated    (n,) its probability
    right     (n,) bool
    molecule  (n,) the true molecule
    """

    stated: np.ndarray
    right: np.ndarray
    molecule: np.ndarray

    def error(self):
        return expected_calibration_error(self.stated, self.right)

    def limit(self):
        """What the error stays below in 99 of 100 cases when the probabilities are wrong by `LARGEST_ERROR`."""
        return LARGEST_ERROR + self.error_by_chance(0.99)

    def error_by_chance(self, quantile):
        """What the error of so few answers stays below when every probability is exactly right.

        Drawn a thousand times: what is stated with p comes true with p, all queries of a molecule with one draw, the
        most that they can depend on each other.
        """
        _, molecule = np.unique(self.molecule, return_inverse=True)
        place = np.minimum((self.stated * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
        of_bin = np.eye(RELIABILITY_BINS)[place]
        draws = np.random.default_rng(0).random((1000, molecule.max() + 1))[:, molecule]
        errors = np.abs(((draws < self.stated) - self.stated) @ of_bin).sum(axis=1) / len(self.stated)
        return np.quantile(errors, quantile)


@pytest.fixture(scope="module")
def spectra(tmp_path_factory):
    """The spectra, each with the name of its molecule and adduct in the field COMPOUND_ION."""
    blocks = SPECTRA.read_text(encoding="utf-8").split("BEGIN IONS\n")[1:]
    path = tmp_path_factory.mktemp("spectra") / "spectra.mgf"
    names = [f"{molecule_of(block)} {field(block, 'ADDUCT')}" for block in blocks]
    lines = [f"BEGIN IONS\nCOMPOUND_ION={name}\n{block}" for name, block in zip(names, blocks, strict=True)]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def field(block, name):
    return block.partition(f"{name}=")[2].partition("\n")[0]


def molecule_of(block):
    return field(block, "INCHIKEY")[:14]


@pytest.fixture(scope="module")
def molecules():
    """{name of a query: InChIKey of its molecule}, for single spectra and groups."""
    blocks = SPECTRA.read_text(encoding="utf-8").split("BEGIN IONS\n")[1:]
    of_spectra = {field(block, "TITLE"): molecule_of(block) for block in blocks}
    return of_spectra | {f"{molecule_of(block)} {field(block, 'ADDUCT')}": molecule_of(block) for block in blocks}


@pytest.fixture(scope="module")
def half_index(made_once, quickstart, molecules):
    """An index of the examples without half of the molecules of the spectra, drawn at random."""

    def make(folder):
        truths = sorted(set(molecules.values()))
        absent = np.random.default_rng(0).permutation(truths)[::2]
        leave_out(quickstart / "molecules.h5", folder / "molecules.h5", absent)
        command = ("sb-build-index", folder / "molecules.h5", "-o", folder / "index.h5", "-q")
        subprocess.run(command, check=True, timeout=600)

    return made_once("half_index", make) / "index.h5"


def leave_out(source, target, absent):
    target.write_bytes(source.read_bytes())
    with h5py.File(target, "r+") as file:
        kept = ~np.isin(file["inchikey14"][:].astype(str), absent)
        for column in file.values():
            values = column[:][kept]
            column[: len(values)] = values
            column.resize(len(values), axis=0)
        file.attrs["n"] = kept.sum()


def ask(way, spectra, index, folder):
    """The hits of one of `WAYS`."""
    hits = folder / "hits.tsv"
    command = ("sb-query", spectra, "--index", index, "--top", "0", "-q", "-o", hits, *WAYS[way])
    subprocess.run(command, check=True, timeout=600)
    return hits


def read_answers(path, molecules):
    best = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["probability"]:
                best.setdefault(row["query_id"], row)
    return Answers(
        np.array([float(row["probability"]) for row in best.values()]),
        np.array([row["inchikey14"] == molecules[name] for name, row in best.items()]),
        np.array([molecules[name] for name in best]),
    )


@pytest.mark.parametrize("way", WAYS)
def test_probabilities_hold_where_half_of_the_molecules_are_not_in_the_library(
    half_index, spectra, molecules, tmp_path, way
):
    half_absent = read_answers(ask(way, spectra, half_index, tmp_path), molecules)
    # of 221 spectra in 115 groups; lists of the true molecule alone are empty now
    assert len(half_absent.stated) > (105 if "groups" in way else 205)
    assert half_absent.error() < half_absent.limit()
    # narrow enough a limit to refuse probabilities whose odds are eight times as high
    odds = 8 * half_absent.stated / (1 - half_absent.stated)
    too_high = dataclasses.replace(half_absent, stated=odds / (1 + odds))
    assert too_high.error() > too_high.limit()
    # few cosines state 0.5
    assert_more_likely_means_more_often_right(half_absent, np.median(half_absent.stated))
    if "reranked" in way:
        assert_more_likely_means_more_often_right(half_absent, 0.5)


def assert_more_likely_means_more_often_right(answers, threshold):
    precision, coverage = precision_and_coverage(answers.stated, answers.right, threshold)
    assert 0 < coverage < 1
    assert precision > answers.right[answers.stated < threshold].mean()


@pytest.mark.parametrize("way", ["cosine", "reranked"])
def test_probabilities_promise_no_more_than_holds_where_all_molecules_are_in_the_library(
    quickstart, molecules, tmp_path, way
):
    # the quickstart has asked the other way already
    hits = ask(way, SPECTRA, quickstart / "index.h5", tmp_path) if way == "cosine" else quickstart / "hits.tsv"
    answers = read_answers(hits, molecules)
    assert len(answers.stated) == 221
    assert answers.stated.mean() < answers.right.mean() + answers.error_by_chance(0.99)
    assert_more_likely_means_more_often_right(answers, np.median(answers.stated))
