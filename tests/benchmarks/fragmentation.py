"""Time of cutting and scoring candidates, here and in another checkout of this repository.

    python tests/benchmarks/fragmentation.py [--against CHECKOUT] [--molecules TSV]
        [--spectra MGF --index I.h5 --rerank-there N --without-reference]

Prints CPU milliseconds a candidate from SMILES to score, on one core, for 1,000 of the molecules (by default those of
the examples), 50 a spectrum: molecules not seen before, and the last 50 once more. With spectra and an index also what
`sb-query` with all candidates re-ranked takes (`--rerank-there` of them in the other checkout, 0 for all;
`--without-reference` here, where the other knows no reference spectra): clock and
CPU time a spectrum, memory with that of its processes (shared pages counted once), and seconds to the first hit of one
spectrum; and whether the fragments of 2,000 molecules are the same in both, every digit of masses, sets and costs. Runs
alternate between the two checkouts; the best of each counts.
"""

import argparse
import csv
import gzip
import hashlib
import json
import lzma
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
N_MOLECULES = 1000
PER_SPECTRUM = 50
N_RUNS = 3
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def draw_molecules(path, n=N_MOLECULES):
    """SMILES of n single molecules, drawn with seed 0."""
    opener = {".xz": lzma.open, ".gz": gzip.open}.get(Path(path).suffix, open)
    with opener(path, "rt") as file:
        smiles = [row["smiles"] for row in csv.DictReader(file, delimiter="\t")]
    random.seed(0)
    return [text for text in random.sample(smiles, min(len(smiles), 2 * n)) if "." not in text][:n]


def score(smiles):
    """CPU ms a candidate for molecules not seen before, and for known ones; in a process of its own."""
    import numpy as np

    from specbridge_tools.fragmentation.network.ranker_file import load_ranker
    from specbridge_tools.fragmentation.network.scores import score_candidates
    from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks
    from specbridge_tools.spectra.spectrum import Spectrum

    ranker = load_ranker()
    mz = np.sort(np.random.default_rng(0).uniform(50, 400, 40))
    peaks = [prepare_peaks(Spectrum("s", 450.0, mz, np.ones(40, np.float32), adduct="[M+H]+"))]
    score_candidates(ranker, peaks, ["CCO"])

    def milliseconds(lists):
        started = time.process_time()
        for texts in lists:
            score_candidates(ranker, peaks, texts)
        return 1e3 * (time.process_time() - started) / sum(map(len, lists))

    lists = [smiles[start : start + PER_SPECTRUM] for start in range(0, len(smiles), PER_SPECTRUM)]
    return milliseconds(lists), milliseconds(lists[-1:])


def digest_of_fragments(smiles):
    """SHA-256 of all that the fragmenter finds; in a process of its own."""
    from specbridge_tools.fragmentation.network.ranker_file import load_ranker

    ranker = load_ranker()
    digest = hashlib.sha256()
    for text in smiles:
        fragments = ranker.fragments(text)
        for name in ("piece_atoms", "cuts", "sets", "cost", "masses", "hydrogens"):
            digest.update(getattr(fragments, name).tobytes())
    return digest.hexdigest()


def run_child(checkout, task, smiles):
    command = [sys.executable, __file__, "--child", task]
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(checkout)}
    done = subprocess.run(
        command, input=json.dumps(smiles), env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def run_score(checkout, smiles):
    return dict(zip(("new molecules, ms", "known ones, ms"), run_child(checkout, "score", smiles), strict=True))


def run_query(checkout, spectra, index, rerank, others):
    import psutil

    def query(file):
        code = "from specbridge_tools.cli.query import main; main()"
        files = [os.path.abspath(file), "--index", os.path.abspath(index)]
        command = [sys.executable, "-c", code, *files, "--top", "0", "--rerank", str(rerank), "-q", *others]
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        # there, since what lies in the current folder is imported before what PYTHONPATH names
        process = psutil.Popen([*command, "-o", os.devnull, "--force"], env=environment, cwd=checkout)
        memory = 0
        while process.poll() is None:
            time.sleep(0.2)
            try:
                memory = max(
                    memory, sum(p.memory_full_info().pss for p in [process, *process.children(recursive=True)])
                )
            except psutil.Error:
                continue
        assert process.returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return time.perf_counter() - started, cpu, memory / 2**20

    text = Path(spectra).read_text().split("END IONS\n")
    one = Path(index).with_suffix(".one.mgf")
    one.write_text(text[0] + "END IONS\n")
    to_first, to_first_cpu, _ = query(one)
    one.unlink()
    seconds, cpu, memory = query(spectra)
    n = len(text) - 1
    return {
        "to the first hit, s": to_first,
        "the same, CPU s": to_first_cpu,
        "a spectrum, ms": 1e3 * seconds / n,
        "the same, CPU ms": 1e3 * cpu / n,
        "memory, MiB": memory,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", help="another checkout")
    parser.add_argument("--molecules", default=ROOT / "examples/molecules.tsv", help="table with a column smiles")
    parser.add_argument("--spectra", help="MGF, plain")
    parser.add_argument("--index")
    parser.add_argument("--rerank-there", type=int, default=50)
    parser.add_argument("--without-reference", action="store_true")
    parser.add_argument("--child", choices=("score", "digest"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps({"score": score, "digest": digest_of_fragments}[options.child](json.load(sys.stdin))))
        return
    smiles = draw_molecules(options.molecules)
    checkouts = {"here": (ROOT, 1_000_000)}
    if options.against:
        checkouts["there"] = (Path(options.against).resolve(), options.rerank_there or 1_000_000)
        many = draw_molecules(options.molecules, 2000)
        here, there = (run_child(checkout, "digest", many) for checkout, _ in checkouts.values())
        print(f"fragments of {len(many)} molecules: {'equal' if here == there else 'DIFFERENT'}")
    best = {name: {} for name in checkouts}
    for _ in range(N_RUNS):
        for name, (checkout, rerank) in checkouts.items():
            figures = run_score(checkout, smiles)
            if options.spectra:
                others = ["--reference", "none"] if options.without_reference and name == "here" else []
                figures |= run_query(checkout, options.spectra, options.index, rerank, others)
            best[name] = {key: min(value, best[name].get(key, value)) for key, value in figures.items()}
    for key, here in best["here"].items():
        there = best["there"][key] if options.against else None
        print(f"{key:22s} {here:9.3f}" + (f"   there {there:9.3f}   ratio {here / there:.3f}" if there else ""))


if __name__ == "__main__":
    main()
