"""What a large library costs: `python tests/benchmarks/scale.py [--molecules N]`.

Writes embeddings of synthetic molecules, builds their index with `sb-build-index`, and asks it with `sb-query` and a
model of random weights. The same spectra then ask the tenth of the molecules around the median mass, where they all
lie: as many candidates a spectrum in an index a tenth as large. Prints TSV; extrapolates to PubChem.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from search import TEXT, repeated_spectra, synthetic_formulas

from specbridge_tools.bridge.checkpoint import save_model
from specbridge_tools.bridge.new_model import ModelOptions, build_model
from specbridge_tools.embeddings.molecules import create_molecule_embeddings
from specbridge_tools.molecules.adducts import parse_adduct
from specbridge_tools.search.index.format import create_index_file, text_sizes
from specbridge_tools.search.index.merge import merged_rows
from specbridge_tools.search.index.molecule_rows import TEXTS
from specbridge_tools.search.index.reader import open_index

BLOCK = 8192
PUBCHEM = 118_000_000
EXAMPLES = Path(__file__).parents[2] / "examples"


class Synthetic:
    name = "synthetic"
    weights_sha256 = "0" * 64

    def __init__(self, dimension):
        self.dimension = dimension


def write_embeddings(path, n, dimension, *, vectors=None):
    """Embeddings of n synthetic molecules in no order of mass. vectors: (size, generator) -> (size, dimension)."""
    vectors = vectors or (lambda size, rng: rng.standard_normal((size, dimension), np.float32))
    rng = np.random.default_rng(0)
    with create_molecule_embeddings(path, encoder=Synthetic(dimension), dtype="float16") as file:
        for start in range(0, n, BLOCK * 16):
            masses, formulas = synthetic_formulas(min(BLOCK * 16, n - start), rng)
            for low in range(0, len(masses), BLOCK):
                part = slice(low, min(low + BLOCK, len(masses)))
                size = len(masses[part])
                columns = {name: [TEXT[name]] * size for name in TEXTS}
                columns |= {"formula": formulas[part], "exact_mass": masses[part]}
                columns["embedding"] = vectors(size, rng).astype(np.float16)
                columns["inchikey14"] = np.array([f"{start + low + i:014d}" for i in range(size)], "S14")
                columns["isomeric_smiles"] = columns["smiles"]
                columns["truncated"] = np.zeros(size, np.uint8)
                file.append(columns)


class _Slice:
    """Rows low..high-1 of an open index, as another index."""

    def __init__(self, index, low, high):
        self.space, self.dtype, self.n = index.space, index.dtype, high - low
        self.exact_mass, self.inchikey14 = (_Part(each, low) for each in (index.exact_mass, index.inchikey14))
        self.embedding = _Part(index.embedding, low)
        self.texts = {name: _Part(column, low) for name, column in index.texts.items()}


class _Part:
    def __init__(self, column, low):
        self._column, self._low = column, low

    def read(self, low, high):
        return self._column.read(low + self._low, high + self._low)

    def take(self, rows):
        return self._column.take(rows + self._low)


def write_slice(index, low, high, path):
    """An index of some neighbours in mass."""
    part = _Slice(index, low, high)
    n, sizes = text_sizes(merged_rows([part], with_embedding=False))
    with create_index_file(path, index.space, n=n, dtype=index.dtype, text_bytes=sizes) as file:
        for rows in merged_rows([part]):
            file.append(rows)


def run(*command):
    """Seconds, peak resident and peak anonymous MiB of a command."""
    began = time.perf_counter()
    process = subprocess.Popen([Path(sys.executable).with_name(command[0]), *map(str, command[1:])])
    peak = {"VmHWM": 0, "RssAnon": 0}
    while process.poll() is None:
        try:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        except OSError:
            continue
        for name, _, value in (line.partition(":") for line in lines):
            if name in peak:
                peak[name] = max(peak[name], int(value.split()[0]) / 1024)
        time.sleep(0.02)
    if process.returncode:
        sys.exit(process.returncode)
    return time.perf_counter() - began, peak["VmHWM"], peak["RssAnon"]


def write_spectra(path, masses):
    """Real spectra whose precursors are [M+H]+ of these masses."""
    repeated_spectra(EXAMPLES / "spectra.mgf", len(masses), path)
    records = path.read_text().split("END IONS\n")[:-1]
    adduct = parse_adduct("[M+H]+")
    with open(path, "w") as file:
        for record, mass in zip(records, masses, strict=True):
            lines = [
                line for line in record.splitlines() if not line.startswith(("PEPMASS", "ADDUCT", "CHARGE", "ION"))
            ]
            given = [f"PEPMASS={adduct.precursor_mz(mass)}", "CHARGE=1+", "ADDUCT=[M+H]+"]
            file.write("\n".join([lines[0] or lines.pop(0) or lines[0], *given, *lines[1:], "END IONS\n"]))


def report(arguments, folder):
    n, where = (
        arguments.molecules,
        {name: folder / name for name in ("m.h5", "i.h5", "part.h5", "model", "s.mgf", "o.tsv")},
    )
    write_embeddings(where["m.h5"], n, arguments.dimension)
    save_model(build_model(where["m.h5"], ModelOptions()), where["model"])
    memory = arguments.memory
    seconds, peak, anonymous = run("sb-build-index", where["m.h5"], "-o", where["i.h5"], "--memory", memory, "-q")
    where["m.h5"].unlink()
    size = where["i.h5"].stat().st_size
    print(f"sb-build-index --memory {memory}\t{n} x {arguments.dimension} float16\t{seconds:.0f} s\t", end="")
    print(f"peak {peak:.0f} MiB, anonymous {anonymous:.0f} MiB\tindex {size / 1e9:.2f} GB", flush=True)
    with open_index(where["i.h5"]) as index:
        low, high = int(0.45 * n), int(0.55 * n)
        write_slice(index, low, high, where["part.h5"])
        rows = np.sort(np.random.default_rng(1).integers(low, high, arguments.queries))
        write_spectra(where["s.mgf"], np.random.default_rng(2).permutation(index.exact_mass.take(rows)))
    one = folder / "one.mgf"
    one.write_text(where["s.mgf"].read_text().partition("END IONS\n")[0] + "END IONS\n")
    each = {}
    for name, index in (("tenth", "part.h5"), ("whole", "i.h5"), ("tenth again", "part.h5"), ("whole again", "i.h5")):
        query = ("--index", where[index], "--model", where["model"], "-o", where["o.tsv"], "--force", "-q")
        start, _, _ = run("sb-query", one, *query)
        seconds, peak, anonymous = run("sb-query", where["s.mgf"], *query)
        each[name] = seconds / arguments.queries
        print(f"sb-query, {name}\t{arguments.queries} spectra\t{seconds:.1f} s\tfirst spectrum {start:.1f} s\t", end="")
        print(f"peak {peak:.0f} MiB, anonymous {anonymous:.0f} MiB", flush=True)
    ratio = min(each["whole"], each["whole again"]) / min(each["tenth"], each["tenth again"])
    print(f"cost per spectrum, whole to tenth\t{ratio:.2f}")
    density = PUBCHEM / n
    print(f"PubChem, {PUBCHEM} molecules\tindex {size * density / 1e9:.0f} GB\tas much again while it is built")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--molecules", type=int, default=10_000_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--dimension", type=int, default=256)
    parser.add_argument("--memory", type=int, default=256, help="of sb-build-index, MiB")
    parser.add_argument("--folder", default=os.environ.get("TMPDIR", "/tmp"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        report(arguments, Path(folder))


if __name__ == "__main__":
    main()
