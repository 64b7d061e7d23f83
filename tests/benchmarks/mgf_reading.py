"""Reading MGF: our reader beside pyteomics on the same file, in one run.

    python tests/benchmarks/mgf_reading.py [FILE.mgf] [--repeats 5]

Without a file 20,000 spectra are made up. CPU seconds, the best of the repeats; both give arrays.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from pyteomics import mgf

from specbridge_tools.spectra.reader import read_spectra


def made_up(path, *, n_spectra=20_000, seed=1):
    """Write spectra like those of public libraries: about 12 fields and 25 peaks each."""
    random = np.random.default_rng(seed)
    with open(path, "w") as stream:
        for number in range(n_spectra):
            mz = np.sort(random.uniform(50, 500, random.integers(1, 50)))
            intensity = random.lognormal(8, 2, len(mz))
            fields = {
                "TITLE": f"SPECTRUM-{number:06d}",
                "PEPMASS": f"{random.uniform(150, 900):.4f}",
                "CHARGE": "1+",
                "IONMODE": "positive",
                "ADDUCT": "[M+H]+",
                "NAME": f"made-up compound {number // 7}",
                "FORMULA": "C25H47NO9",
                "SMILES": "CCC(C)C(O)C(CC(C)CCCCCCC(O)CC(O)CN)OC(=O)CC(CC(=O)O)C(=O)O",
                "INCHIKEY": "CTXQVLLVFBNZKL-UHFFFAOYSA-N",
                "INSTRUMENT_TYPE": "LC-ESI-QTOF",
                "COLLISION_ENERGY": f"{random.integers(1, 9) * 10} eV",
                "LICENSE": "CC0",
            }
            stream.write("BEGIN IONS\n" + "".join(f"{key}={value}\n" for key, value in fields.items()))
            stream.writelines(f"{a:.4f} {b:.6g}\n" for a, b in zip(mz, intensity, strict=True))
            stream.write("END IONS\n\n")


def seconds(count, repeats):
    """(best CPU seconds, number of records)."""
    best = float("inf")
    for _ in range(repeats):
        started = time.process_time()
        n_records = count()
        best = min(best, time.process_time() - started)
    return best, n_records


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.file
        if path is None:
            path = Path(folder) / "made_up.mgf"
            made_up(path)
        readers = {
            "specbridge_tools": lambda: sum(1 for _ in read_spectra(path)),
            "pyteomics.mgf.MGF": lambda: sum(1 for _ in mgf.MGF(str(path))),
            "pyteomics.mgf.read": lambda: sum(1 for _ in mgf.read(str(path))),
        }
        ours = None
        for name, count in readers.items():
            taken, n_records = seconds(count, options.repeats)
            ours = ours or taken
            print(f"{name:20s} {n_records:8d} records {n_records / taken:10.0f} /s {taken / ours:6.2f} x our time")


if __name__ == "__main__":
    main()
