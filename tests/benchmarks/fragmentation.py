"""Time of cutting and scoring candidates: python tests/benchmarks/fragmentation.py

Prints milliseconds a drug-like candidate (15 to 40 heavy atoms) on one core, and candidates a second with all of them.
"""

import concurrent.futures
import functools
import multiprocessing
import os
import time
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np

EXAMPLES = Path(__file__).parents[2] / "examples"
N_MOLECULES = 1000
PER_SPECTRUM = 50


def candidates():
    """SMILES of the examples with 15 to 40 heavy atoms, and their graphs."""
    from specbridge_tools.molecules.smiles_graph import molecular_graph

    lines = (EXAMPLES / "molecules.tsv").read_text().splitlines()[1:]
    smiles, graphs = [], []
    for line in lines[:: max(1, len(lines) // (2 * N_MOLECULES))]:
        text = line.split("\t")[1]
        graph = molecular_graph(text)
        if 15 <= graph.n_atoms <= 40 and "." not in text:
            smiles.append(text)
            graphs.append(graph)
    return smiles[:N_MOLECULES], graphs[:N_MOLECULES]


@functools.cache
def ranker():
    from specbridge_tools.fragmentation.network.ranker_file import load_ranker

    return load_ranker()


def score_chunk(smiles):
    """Score `PER_SPECTRUM` candidates against one spectrum, from SMILES on."""
    from specbridge_tools.fragmentation.network.scores import score_candidates
    from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks
    from specbridge_tools.spectra.spectrum import Spectrum

    mz = np.random.default_rng(0).uniform(50, 400, 40)
    spectrum = Spectrum("s", 450.0, np.sort(mz), np.ones(40, np.float32), adduct="[M+H]+")
    score_candidates(ranker(), [prepare_peaks(spectrum)], smiles)
    return len(smiles)


def main():
    from specbridge_tools.fragmentation.fragments.fragmenter import fragment

    smiles, graphs = candidates()
    sizes = [len(fragment(graph)) for graph in graphs[:20]]
    started = time.perf_counter()
    sizes = [len(fragment(graph)) for graph in graphs]
    each = (time.perf_counter() - started) / len(graphs)
    n_fragments = f"{np.mean(sizes):.0f} fragments ({len(graphs)} molecules)"
    print(f"cutting: {1e3 * each:.2f} ms a candidate on one core, {n_fragments}")
    chunks = [smiles[start : start + PER_SPECTRUM] for start in range(0, len(smiles), PER_SPECTRUM)]
    score_chunk(chunks[0])
    started = time.perf_counter()
    n = sum(map(score_chunk, chunks))
    each = (time.perf_counter() - started) / n
    per_second = f"{1 / each / PER_SPECTRUM:.1f} spectra/s (top {PER_SPECTRUM})"
    print(f"SMILES to score: {1e3 * each:.2f} ms a candidate on one core, {per_second}")
    started = time.perf_counter()
    for _ in range(20):
        score_chunk(chunks[-1])
    each = (time.perf_counter() - started) / 20 / len(chunks[-1])
    print(f"known candidates to score: {1e3 * each:.2f} ms a candidate on one core")
    threads = len(os.sched_getaffinity(0))
    with concurrent.futures.ProcessPoolExecutor(threads, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(score_chunk, chunks[:threads]))
        started = time.perf_counter()
        n = sum(pool.map(score_chunk, chunks))
        rate = n / (time.perf_counter() - started)
    print(
        f"all {threads} cores: {rate:.0f} candidates/s, {rate / PER_SPECTRUM:.1f} spectra/s (top 50, none seen before)"
    )


if __name__ == "__main__":
    main()
