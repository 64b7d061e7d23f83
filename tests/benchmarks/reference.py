"""How fast reference spectra are searched: `python tests/benchmarks/reference.py [--spectra 50000 1000000]`.

Writes references of synthetic spectra: those that ship, again and again, their peaks and precursors moved at random, of
molecules that are there as often. Opens each in a process of its own and compares some of its spectra with all. Prints
TSV: spectra, size of the file, seconds to open it, ms a query (search alone; with the evidence for 100
candidates whose features are known), MiB at most.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from specbridge_tools import pretrained
from specbridge_tools.reference.file import read_references
from specbridge_tools.reference.molecules import MoleculeTable
from specbridge_tools.reference.reference import Reference
from specbridge_tools.reference.spectra import SpectrumTable
from specbridge_tools.reference.texts import REPEATED, SpectrumTexts
from specbridge_tools.reference.writer import write_reference
from specbridge_tools.spectra.spectrum import Spectrum

FURTHEST = 500_000  # units of 0.1 mDa by which a spectrum is moved


def write_synthetic(path, n, rng):
    spectra, texts, molecules, space = read_references([pretrained.REFERENCE])
    copies = -(-n // len(spectra))
    sizes = np.tile(np.diff(spectra.starts), copies)[:n]
    shift = rng.integers(0, FURTHEST, n)
    shift[: len(spectra)] = 0
    n_peaks = int(sizes.sum())
    mz = np.tile(spectra.mz, copies)[:n_peaks] + np.repeat(shift, sizes)
    molecule = (np.tile(spectra.molecule, copies) + np.repeat(np.arange(copies), len(spectra)) * len(molecules))[:n]
    m = int(molecule.max()) + 1
    rows = np.arange(m) % len(molecules)
    table = SpectrumTable(
        molecule.astype(np.int32),
        (np.tile(spectra.precursor, copies)[:n] + shift).astype(np.int32),
        *(np.tile(getattr(spectra, name), copies)[:n] for name in ("polarity", "charge", "energy")),
        np.concatenate([[0], np.cumsum(sizes)]),
        mz.astype(np.int32),
        np.tile(spectra.intensity, copies)[:n_peaks],
    )
    codes = {name: np.tile(texts.codes[name], copies)[:n] for name in REPEATED}
    counts = molecules.counts[rows]
    synthetic = MoleculeTable(
        [f"{row:014d}" for row in range(m)],
        *([getattr(molecules, name)[int(row)] for row in rows] for name in ("smiles", "formula", "name")),
        counts.indptr,
        counts.indices,
        counts.data,
        molecules.embedding,
    )
    write_reference(path, table, SpectrumTexts([f"SYN{i}" for i in range(n)], codes, texts.lists), synthetic, space)


def measure(path, n_queries):
    started = time.perf_counter()
    reference = Reference.open(path)
    opened = time.perf_counter() - started
    rng = np.random.default_rng(1)
    queries = [_query(reference, int(row)) for row in rng.integers(0, len(reference), n_queries)]
    smiles, keys = list(reference.molecules.smiles[:100]), list(reference.molecules.inchikey14[:100])
    features = reference.features(smiles)
    reference.match(queries[:1]).evidence(keys, features)  # compiles
    searched = with_evidence = 0.0
    for query in queries:
        started = time.perf_counter()
        found = reference.match([query])
        searched += time.perf_counter() - started
        found.evidence(keys, features)
        with_evidence += time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    size = path.stat().st_size >> 20
    times = (1000 * searched / n_queries, 1000 * with_evidence / n_queries)
    print(len(reference), f"{size} MiB", f"{opened:.2f}", *(f"{each:.1f}" for each in times), memory, sep="\t")


def _query(reference, row):
    mz, intensity = reference.spectra.peaks(row)
    table = reference.spectra
    precursor = float(table.precursor[row]) / 10_000
    return Spectrum("q", precursor, mz, intensity.astype(np.float32), polarity=int(table.polarity[row]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spectra", type=int, nargs="+", default=[50_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.open:
        measure(options.open, options.queries)
        return
    print("spectra", "file", "open (s)", "search (ms)", "with evidence (ms)", "memory (MiB)", sep="\t", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for n in options.spectra:
            path = Path(folder) / f"{n}.h5"
            write_synthetic(path, n, np.random.default_rng(0))
            command = [sys.executable, __file__, "--open", str(path), "--queries", str(options.queries)]
            subprocess.run(command, check=True, env=os.environ)
            path.unlink()


if __name__ == "__main__":
    main()
