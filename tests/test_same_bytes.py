"""What the README promises: on one machine the same input gives the same bytes, whatever stands beside it.

`.ci/run` runs these, and what else is marked `bytes`, under several kernels of BLAS and numbers of threads.
"""

import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
from builders import first_examples

from specbridge_tools.bridge.checkpoint import load_model
from specbridge_tools.fragmentation.network.ranker_file import load_ranker
from specbridge_tools.fragmentation.network.scores import score_candidates
from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks
from specbridge_tools.spectra.reader import read_spectra

pytestmark = pytest.mark.bytes

EXAMPLES = Path(__file__).parents[1] / "examples"
N_SPECTRA = 16
# between machines of other kernels; see the README
TOLERANCE = 1e-5


@pytest.fixture(scope="session")
def library(made_once):
    """A folder with spectra, molecules, the index of these, and the hits by cosine of all."""

    def make(folder):
        import subprocess

        (folder / "spectra.mgf").write_text(first_examples(N_SPECTRA))
        header, *rows = (EXAMPLES / "molecules.tsv").read_text().splitlines()
        (folder / "molecules.tsv").write_text("\n".join([header, *rows[::8]]) + "\n")
        for command in (
            "sb-embed-mols molecules.tsv -o molecules.h5",
            "sb-build-index molecules.h5 -o index.h5",
            "sb-query spectra.mgf --index index.h5 --rerank 0 --top 0 -o cosine.tsv",
            "sb-query spectra.mgf --index index.h5 --top 0 -o hits.tsv",
        ):
            subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)

    return made_once("same_bytes", make)


@pytest.fixture(scope="session")
def spectra():
    return list(read_spectra(EXAMPLES / "spectra.mgf"))[:N_SPECTRA]


@pytest.fixture(scope="session")
def smiles():
    lines = (EXAMPLES / "molecules.tsv").read_text().splitlines()[1::800]
    return [text for text in (line.split("\t")[1] for line in lines) if "." not in text] + ["C", "CO", "N"]


def test_a_candidate_has_its_scores_whatever_stands_beside_it(spectra, smiles):
    ranker = load_ranker()
    peaks = [prepare_peaks(spectra[0]), prepare_peaks(spectra[7])]
    together = score_candidates(ranker, peaks, smiles)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(smiles))
        shuffled = score_candidates(ranker, peaks, [smiles[place] for place in order])
        np.testing.assert_array_equal(shuffled.fragment_score, together.fragment_score[order])
        np.testing.assert_array_equal(shuffled.explained_intensity, together.explained_intensity[order])
    alone = [score_candidates(ranker, peaks, [text]) for text in smiles]
    np.testing.assert_array_equal(np.concatenate([one.fragment_score for one in alone]), together.fragment_score)


def test_a_spectrum_has_its_vector_whatever_stands_beside_it(spectra):
    model = load_model()
    together = model.encode(spectra)
    order = np.random.default_rng(0).permutation(len(spectra))
    np.testing.assert_array_equal(model.encode([spectra[place] for place in order], batch_size=7), together[order])
    np.testing.assert_array_equal(np.concatenate([model.encode([one]) for one in spectra]), together)


@pytest.mark.slow
def test_threads_pipes_and_shards_give_the_same_hits(library, run):
    whole = (library / "hits.tsv").read_bytes()
    query = ("sb-query", library / "spectra.mgf", "--index", library / "index.h5", "--top", "0")
    for threads in (1, 2):
        assert run(*query, "--threads", threads).stdout == whole
    piped = run("sb-query", "-", *query[2:], stdin=(library / "spectra.mgf").read_bytes()).stdout
    assert piped == whole
    parts = [f"hits.{number}.tsv" for number in (1, 2, 3)]
    for number, part in enumerate(parts, start=1):
        run(*query, "--shard", f"{number}/3", "-o", part, "--threads", 1 + number % 2)
    assert run("sb-merge", *parts, "-o", "-").stdout == whole


@pytest.mark.slow
def test_the_order_of_the_candidates_changes_nothing(library, run, tmp_path):
    def lines_by_query(path):
        header, *lines = path.read_text().splitlines()
        queries = {}
        for line in lines:
            queries.setdefault(line.split("\t")[0], []).append(line)
        return header, queries

    header, queries = lines_by_query(library / "cosine.tsv")
    random.Random(0).shuffle(lines := [line for lines in queries.values() for line in lines])
    by_query = {query: [line for line in lines if line.split("\t")[0] == query] for query in queries}
    shuffled = "\n".join([header, *(line for lines in by_query.values() for line in lines)]) + "\n"
    (tmp_path / "shuffled.tsv").write_text(shuffled)
    rerank = ("--spectra", library / "spectra.mgf", "--rerank", "0")
    assert run("sb-rerank", "shuffled.tsv", *rerank).stdout == run("sb-rerank", library / "cosine.tsv", *rerank).stdout


@pytest.mark.slow
def test_processors_agree_within_the_stated_tolerance(library, run):
    """The kernels of another processor, as far as this one can run them."""
    query = ("sb-query", library / "spectra.mgf", "--index", library / "index.h5", "--top", "0", "--format", "jsonl")
    here, there = (
        [json.loads(line) for line in run(*query, env={**os.environ, **settings}).stdout.splitlines()]
        for settings in ({}, {"OPENBLAS_CORETYPE": "Nehalem", "MKL_CBWR": "COMPATIBLE"})
    )
    key = ("query_id", "inchikey14")
    there = {tuple(row[name] for name in key): row for row in there}
    assert len(there) == len(here) > 120
    for row in here:
        other = there[tuple(row[name] for name in key)]
        for name, value in row.items():
            if isinstance(value, float):
                assert value == pytest.approx(other[name], rel=TOLERANCE, abs=TOLERANCE), (name, row)
            elif name != "rank":
                assert value == other[name]
