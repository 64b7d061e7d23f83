"""What searching without a mass costs and finds: `python tests/benchmarks/open_search.py [--molecules N]`.

Writes embeddings of synthetic molecules, which crowd in families as real ones do, and builds three indexes of them with
`sb-build-index`: plain, with an hnswlib graph, with inverted lists. Vectors at a cosine of about 0.7 to a molecule
each then ask with `sb-query --mode open`. Recall is the share of the exact 10 best that are found. Prints TSV. Times
are those of the processor, all threads together, which other work on the machine changes little.
"""

import argparse
import csv
import functools
import os
import resource
import tempfile
import time
import types
from pathlib import Path

import numpy as np
from scale import Synthetic, run, write_embeddings

from specbridge_tools.embeddings.spectra import create_spectrum_embeddings
from specbridge_tools.molecules.adducts import parse_adduct
from specbridge_tools.records import Tally
from specbridge_tools.search.candidates.open_search import by_graph, by_ivf, exhaustive
from specbridge_tools.search.index.hnsw import load_graph
from specbridge_tools.search.index.ivf import load_ivf
from specbridge_tools.search.index.reader import open_index
from specbridge_tools.search.queries.reader import QueryReader
from specbridge_tools.search.queries.source import open_query_source
from specbridge_tools.threads import available_threads

FAMILY, LATENT = 50, 48  # molecules a family, on average; dimensions in which families differ
TOP = 10
KINDS = {"exact": (), "graph": ("--hnsw",), "IVF": ("--ivf",)}
EFFORTS = {"graph": ("--hnsw-ef", (50, 200, 800)), "IVF": ("--ivf-probes", (8, 32, 128))}


class Families:
    """Vectors of molecules: that of their family, moved by half its length, and noise in all dimensions."""

    def __init__(self, n, dimension):
        rng = np.random.default_rng(1)
        self._axes = rng.standard_normal((LATENT, dimension), np.float32) / LATENT**0.5
        self._centres = rng.standard_normal((max(1, n // FAMILY), LATENT), np.float32)

    def __call__(self, size, rng):
        own = self._centres[rng.integers(0, len(self._centres), size)]
        own = own + 0.5 * rng.standard_normal(own.shape, np.float32)
        vectors = own @ self._axes
        vectors += 0.2 * rng.standard_normal(vectors.shape, np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def write_queries(path, index_path, n):
    """Embeddings of n spectra, each near a molecule of the index."""
    rng = np.random.default_rng(2)
    with open_index(index_path) as index:
        rows = np.sort(rng.choice(index.n, n, replace=False))
        vectors = np.concatenate([index.embedding.read(row, row + 1) for row in rows]).astype(np.float32)
        masses = np.array([index.exact_mass.read(row, row + 1)[0] for row in rows])
    vectors += rng.standard_normal(vectors.shape, np.float32) / vectors.shape[1] ** 0.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    adduct = parse_adduct("[M+H]+")
    numbers = np.arange(1, n + 1)
    columns = {"embedding": vectors, "id": [f"q{number}" for number in numbers], "adduct": ["[M+H]+"] * n}
    columns |= {"precursor_mz": [adduct.precursor_mz(mass) for mass in masses], "charge": np.ones(n, np.int32)}
    columns |= {"polarity": np.ones(n, np.int8), "formula": [""] * n, "reason": [""] * n}
    columns |= {"record": numbers, "line": np.zeros(n, np.int64)}
    encoder = Synthetic(vectors.shape[1])
    space = {"molecule_encoder": encoder.name, "molecule_encoder_sha256": encoder.weights_sha256}
    space |= {"molecule_head_sha256": "", "dimension": encoder.dimension}
    model = types.SimpleNamespace(name="synthetic", weights_sha256="0" * 64, **space)
    with create_spectrum_embeddings(path, model=model, dtype=np.dtype("f2")) as file:
        file.append(columns)


def found(path):
    """The (query, molecule) pairs of a table of hits."""
    with open(path, encoding="utf-8", newline="") as file:
        return {(row["query_id"], row["inchikey14"]) for row in csv.DictReader(file, delimiter="\t")}


def ask(folder, kind, *options):
    """Search by the command; -> the pairs that are found, peak anonymous MiB."""
    command = ["--index", folder / f"{kind}.h5", "--mode", "open", "--top", TOP, "-o", folder / "hits.tsv", "--force"]
    _, _, anonymous = run("sb-query", folder / "q.h5", "-q", *command, *options)
    return found(folder / "hits.tsv"), anonymous


def milliseconds(folder, kind, value):
    """CPU time a spectrum of the search alone, batch by batch as `sb-query` does; the least of three."""
    threads = available_threads()
    with open_index(folder / f"{kind}.h5") as index:
        with open_query_source(folder / "q.h5") as source:
            batches = list(QueryReader(index, tally=Tally(noun="spectra")).read(source))
        if kind == "exact":
            search = functools.partial(exhaustive, index, top=TOP)
        elif kind == "graph":
            graph = load_graph(index, ef_search=value)
            search = functools.partial(by_graph, index, graph, top=TOP + 10, threads=threads)
        else:
            search = functools.partial(by_ivf, index, load_ivf(index, nprobe=value), top=2 * TOP + 10)
        seconds = []
        for _ in range(1 if kind == "exact" else 3):
            began = time.process_time()
            for queries in batches:
                list(search(queries=queries))
            seconds.append(time.process_time() - began)
    return min(seconds) / sum(map(len, batches)) * 1e3


def cpu_of_commands():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def report(arguments, folder):
    n, n_queries = arguments.molecules, arguments.queries
    began = time.perf_counter()
    vectors = Families(n, arguments.dimension)
    write_embeddings(folder / "m.h5", n, arguments.dimension, vectors=vectors)
    print(f"{n} x {arguments.dimension} float16, written in {time.perf_counter() - began:.0f} s", flush=True)
    print("index\tCPU time\ttime\tanonymous\tfile", flush=True)
    for kind, options in KINDS.items():
        output = folder / f"{kind}.h5"
        before = cpu_of_commands()
        seconds, _, anonymous = run("sb-build-index", folder / "m.h5", "-o", output, "--memory", 256, "-q", *options)
        print(f"{kind}\t{cpu_of_commands() - before:.0f} s\t{seconds:.0f} s\t{anonymous:.0f} MiB\t", end="")
        print(f"{output.stat().st_size / 1e6:.0f} MB", flush=True)
    write_queries(folder / "q.h5", folder / "exact.h5", n_queries)
    print(f"search\trecall@{TOP}\tCPU time a spectrum\tanonymous\t({n_queries} spectra)", flush=True)
    exact, anonymous = ask(folder, "exact", "--exact")
    print(f"exact\t1.000\t{milliseconds(folder, 'exact', None):.2f} ms\t{anonymous:.0f} MiB", flush=True)
    for kind, (option, values) in EFFORTS.items():
        for value in values:
            pairs, anonymous = ask(folder, kind, option, value)
            print(f"{kind} {option} {value}\t{len(pairs & exact) / len(exact):.3f}\t", end="")
            print(f"{milliseconds(folder, kind, value):.2f} ms\t{anonymous:.0f} MiB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--molecules", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--dimension", type=int, default=256)
    parser.add_argument("--folder", default=os.environ.get("TMPDIR", "/tmp"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        report(arguments, Path(folder))


if __name__ == "__main__":
    main()
