"""How fast the search is: `python tests/benchmarks/search.py [--molecules N] [--model MODEL --spectra FILE]`.

Writes an index of synthetic molecules, whose masses crowd as those of real libraries do (about 100 within 10 ppm of one
another in a million), and searches it by mass: alone, and with a model end to end by `sb-query`. Prints TSV.
"""

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from specbridge_tools.embeddings.space import Space
from specbridge_tools.hits.table import HitWriter
from specbridge_tools.molecules.adducts import parse_adduct
from specbridge_tools.molecules.formula import hill, mass_of_formula
from specbridge_tools.search.candidates.ranking import ranked
from specbridge_tools.search.candidates.retrieve import by_mass
from specbridge_tools.search.candidates.tolerance import DEFAULT_TOLERANCE
from specbridge_tools.search.index.exact_scores import unit_rows
from specbridge_tools.search.index.format import create_index_file
from specbridge_tools.search.index.molecule_rows import TEXTS, Rows
from specbridge_tools.search.index.reader import open_index
from specbridge_tools.search.queries.reader import Query
from specbridge_tools.search.results import hits_of_candidates

BLOCK = 8192
CALIBRATION = {"scale": 20.0, "none": 0.0, "none_log_candidates": 0.1, "none_log_top": -0.1}
TEXT = {"id": "SYN0000001", "all_ids": "SYN0000001", "smiles": "C" * 45, "formula": "", "name": "a synthetic molecule"}


def synthetic_formulas(n, rng):
    """n formulas with the spread of masses and of heteroatoms of drug-like libraries -> (masses (n,), formulas)."""
    size = np.exp(rng.normal(np.log(365), 0.35, n)) / 365
    nitrogen, oxygen = rng.poisson(2.6 * size), rng.poisson(3.6 * size)
    sulfur, fluorine, chlorine = (rng.binomial(2, p, n) for p in (0.15, 0.1, 0.08))
    rest = 365 * size - 14 * nitrogen - 16 * oxygen - 32 * sulfur - 19 * fluorine - 35 * chlorine
    carbon = np.maximum(1, np.rint(rest / 13.1)).astype(int)
    hydrogen = np.maximum(0, np.rint(carbon * rng.normal(1.1, 0.25, n))).astype(int)
    hydrogen += (hydrogen + nitrogen + fluorine + chlorine) % 2
    counts = np.stack([carbon, hydrogen, nitrogen, oxygen, sulfur, fluorine, chlorine], axis=1)
    distinct, place = np.unique(counts, axis=0, return_inverse=True)
    formulas = [hill(dict(zip(("C", "H", "N", "O", "S", "F", "Cl"), row, strict=True))) for row in distinct.tolist()]
    masses = np.array([mass_of_formula(formula) for formula in formulas])
    return masses[place.ravel()], np.array(formulas, object)[place.ravel()]


def write_synthetic_index(path, space, n, *, dtype, seed=0):
    """An index of n synthetic molecules with random vectors."""
    rng = np.random.default_rng(seed)
    masses, formulas = synthetic_formulas(n, rng)
    order = np.argsort(masses, kind="stable")
    masses, formulas = masses[order], formulas[order]
    sizes = {name: len(TEXT[name]) * n for name in TEXTS} | {"formula": sum(map(len, formulas))}
    with create_index_file(path, space, n=n, dtype=dtype, text_bytes=sizes) as file:
        for start in range(0, n, BLOCK):
            size = min(BLOCK, n - start)
            texts = {name: np.full(size, TEXT[name], object) for name in TEXTS}
            texts["formula"] = formulas[start : start + size]
            keys = np.array([f"{number:014d}" for number in range(start, start + size)], "S14")
            embedding = unit_rows(rng.normal(size=(size, space.dimension)), dtype)
            none = np.zeros(size, np.int64)
            file.append(Rows(masses[start : start + size], keys, texts, none, none, embedding))


def time_search(index, masses, top, seed=0):
    """Seconds for searching one random vector at each mass, rows written; and the mean number of candidates."""
    rng = np.random.default_rng(seed)
    adduct = parse_adduct("[M+H]+")
    vectors = unit_rows(rng.normal(size=(len(masses), index.space.dimension)), index.dtype).astype(np.float64)
    writer, n_candidates = HitWriter(io.StringIO()), 0
    began = time.perf_counter()
    for number, (mass, vector) in enumerate(zip(masses, vectors, strict=True), start=1):
        query = Query(f"query {number}", number, "", adduct.precursor_mz(mass), (adduct,), "", vector)
        best = ranked(by_mass(index, query, DEFAULT_TOLERANCE))
        if len(best):
            rows = top or len(best)
            writer.write(
                hits_of_candidates(index, query, best, n_candidates=len(best), n_rows=rows, calibration=CALIBRATION)
            )
        n_candidates += len(best)
    return time.perf_counter() - began, n_candidates / len(masses)


def time_command(index_path, spectra, model, top, folder):
    """Seconds and peak resident MiB of sb-query, by the cosine alone."""
    program = Path(sys.executable).with_name("sb-query")
    command = [program, spectra, "--index", index_path, "-o", folder / "hits.tsv", "--force", "--top", str(top)]
    command += ["--rerank", "0"] + (["--model", model] if model else [])
    began = time.perf_counter()
    subprocess.run(command, check=True)
    seconds = time.perf_counter() - began
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def repeated_spectra(source, n, path):
    """Write the MGF records of `source`, over and over, until there are n; -> their neutral masses for [M+H]+."""
    records = source.read_text(encoding="utf-8").split("END IONS\n")[:-1]
    adduct, masses = parse_adduct("[M+H]+"), []
    with open(path, "w", encoding="utf-8") as file:
        for number in range(n):
            record = records[number % len(records)]
            file.write(f"{record}END IONS\n")
            precursor_mz = float(record.partition("PEPMASS=")[2].split()[0])
            masses.append(adduct.neutral_mass(precursor_mz))
    return np.array(masses)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--molecules", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--dimension", type=int, default=512, help="without a model")
    parser.add_argument("--dtype", choices=("float16", "float32"), default="float16")
    parser.add_argument("--model", help="time sb-query too; 'default' is the model that ships")
    parser.add_argument("--spectra", type=Path, default=Path(__file__).parents[2] / "examples" / "spectra.mgf")
    parser.add_argument("--folder", default=os.environ.get("TMPDIR", "/tmp"), help="for the index")
    arguments = parser.parse_args()
    space = Space("synthetic", "0" * 64, "", arguments.dimension)
    model = None if arguments.model == "default" else arguments.model
    if arguments.model:
        from specbridge_tools.bridge.checkpoint import load_model

        space = Space.of_model(load_model(model))
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        report(arguments, space, model, Path(folder))


def report(arguments, space, model, folder):
    began = time.perf_counter()
    write_synthetic_index(folder / "index.h5", space, arguments.molecules, dtype=arguments.dtype)
    print(f"index\t{arguments.molecules} x {space.dimension} {arguments.dtype}\t{time.perf_counter() - began:.0f} s")
    with open_index(folder / "index.h5") as index:
        masses = index.exact_mass.take(np.sort(np.random.default_rng(1).integers(0, index.n, arguments.queries)))
        np.random.default_rng(2).shuffle(masses)
        for top in (10, 0):
            seconds, candidates = time_search(index, masses, top)
            each = seconds / len(masses)
            print(
                f"search alone, top {top}\t{1 / each:.0f} spectra/s\t{each * 1e3:.3f} ms\t{candidates:.0f} candidates"
            )
        if not arguments.model:
            return
        masses = repeated_spectra(arguments.spectra, arguments.queries, folder / "spectra.mgf")
        for top in (10, 0):
            alone, candidates = time_search(index, masses, top)
            seconds, peak = time_command(folder / "index.h5", folder / "spectra.mgf", model, top, folder)
            share = f"search {100 * alone / seconds:.1f} % of the time\t{candidates:.0f} candidates"
            print(f"sb-query, top {top}\t{len(masses) / seconds:.0f} spectra/s\t{share}\tpeak {peak:.0f} MiB")


if __name__ == "__main__":
    main()
