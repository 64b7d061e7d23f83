"""sb-embed-mols, end to end: reading, canonicalisation, InChIKey, encoding, writing.

    python tests/benchmarks/embed_mols.py FILE [--encoder morgan] [--threads 2] [--at-most 50000] [--respell]

FILE is a TSV with a column `smiles` or `SMILES`. Prints molecules per second, start-up included, beside the CPU time
that a molecule takes: on a busy machine only the second can be compared. `--respell` writes every SMILES with its atoms
in random order first, which spares the encoder no shortcut for SMILES that are canonical already.
"""

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rdkit import Chem, RDLogger

COMMAND = Path(sys.executable).parent / "sb-embed-mols"


def read_smiles(path, at_most):
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        column = next(name for name in reader.fieldnames if name.lower() == "smiles")
        return [row[column] for _, row in zip(range(at_most), reader, strict=False)]


def respelled(smiles):
    RDLogger.DisableLog("rdApp.*")
    molecules = map(Chem.MolFromSmiles, smiles)
    return [Chem.MolToRandomSmilesVect(molecule, 1, randomSeed=1)[0] for molecule in molecules if molecule]


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--encoder", default="morgan")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--at-most", type=int, default=50_000)
    parser.add_argument("--respell", action="store_true")
    options = parser.parse_args()
    smiles = read_smiles(options.file, options.at_most)
    smiles = respelled(smiles) if options.respell else smiles
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "molecules.tsv"
        table.write_text("smiles\n" + "".join(f"{text}\n" for text in smiles))
        arguments = [COMMAND, table, "-o", Path(folder) / "m.h5", "--encoder", options.encoder]
        before, started = cpu_seconds(), time.monotonic()
        done = subprocess.run([*arguments, "--threads", str(options.threads)], check=True, capture_output=True)
        wall, cpu = time.monotonic() - started, cpu_seconds() - before
    print(done.stderr.decode().splitlines()[-1])
    print(f"encoder\t{options.encoder}\nthreads\t{options.threads}\nmolecules\t{len(smiles)}")
    print(f"seconds\t{wall:.1f}\nmolecules_per_second\t{len(smiles) / wall:.0f}")
    print(f"cpu_microseconds_per_molecule\t{cpu / len(smiles) * 1e6:.0f}")


if __name__ == "__main__":
    main()
