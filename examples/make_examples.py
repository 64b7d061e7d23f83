"""Draw examples/spectra.mgf and examples/molecules.tsv from larger files; the same files give the same examples.

    python examples/make_examples.py spectra.mgf.gz molecules.tsv.xz examples/

The spectra need TITLE, LICENSE, IONMODE, SMILES and INCHIKEY; the molecules the columns inchikey14, smiles, formula,
exact_mass and source, in this order.
"""

import argparse
import collections
import gzip
import hashlib
import lzma
from pathlib import Path

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem.Descriptors import ExactMolWt

SEED = "specbridge examples 1"
LICENCES = ("CC0", "CC BY", "dl-de/by-2-0")
SOURCES = {
    "PubChem": ("pubchem100k_smilesparser", "rdkit_100kPCS"),
    "ChEMBL": ("rdkit_blog_chembl", "fsmol_chembl", "chembl_reinvent_val"),
    "LOTUS": ("lotus_plants_wikidata", "lotus_plants_wikidata2"),
}
N_SPECTRUM_MOLECULES = 90
SPECTRA_EACH = 2  # per molecule and polarity
N_MOLECULES = 24_000
WINDOW_PPM = 12.0


def draw_key(text):
    """A number for `text` that is the same everywhere: sorting by it shuffles."""
    return hashlib.sha256(f"{SEED} {text}".encode()).hexdigest()


def read_records(path):
    """Yield (text, fields) of each record, the text as it stands in the file."""
    lines, fields = [], {}
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            if line.startswith("BEGIN IONS"):
                lines, fields = [], {}
            lines.append(line)
            key, equals, value = line.rstrip("\n").partition("=")
            if equals:
                fields[key] = value
            if line.startswith("END IONS"):
                yield "".join(lines), fields


def draw_spectra(path):
    """-> (texts in the order of the file, {inchikey14: SMILES} of their molecules)."""
    records = [record for record in read_records(path) if record[1]["LICENSE"] in LICENCES]
    keys = sorted({fields["INCHIKEY"][:14] for _, fields in records}, key=draw_key)[:N_SPECTRUM_MOLECULES]
    groups = collections.defaultdict(list)
    for position, (_, fields) in enumerate(records):
        groups[fields["INCHIKEY"][:14], fields["IONMODE"]].append(position)
    chosen = []
    for key in keys:
        for polarity in ("positive", "negative"):
            drawn = sorted(groups[key, polarity], key=lambda position: draw_key(records[position][1]["TITLE"]))
            chosen += drawn[:SPECTRA_EACH]
    truths = {records[position][1]["INCHIKEY"][:14]: records[position][1]["SMILES"] for position in chosen}
    return [records[position][0] for position in sorted(chosen)], truths


def draw_molecules(path, truths):
    """-> ({inchikey14: SMILES} of the truths, their same-mass decoys and others; counts of decoys by database)."""
    database = {tag: name for name, tags in SOURCES.items() for tag in tags}
    masses = np.sort([ExactMolWt(Chem.MolFromSmiles(smiles)) for smiles in truths.values()])
    near, far = {}, {}
    with lzma.open(path, "rt", encoding="utf-8") as stream:
        next(stream)
        for line in stream:
            key, smiles, _, mass, source = line.rstrip("\n").split("\t")
            if source in database and key not in truths:
                distance = np.abs(masses - float(mass)).min()
                (near if distance <= float(mass) * WINDOW_PPM * 1e-6 else far)[key] = (smiles, database[source])
    others = sorted(far, key=draw_key)[: max(0, N_MOLECULES - len(truths) - len(near))]
    decoys = near | {key: far[key] for key in others}
    counts = collections.Counter(name for _, name in decoys.values())
    molecules = dict(truths) | {key: smiles for key, (smiles, _) in decoys.items()}
    return molecules, {"truths": len(truths), "of their masses": len(near), "others": len(others), **counts}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spectra", type=Path)
    parser.add_argument("molecules", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    rdBase.DisableLog("rdApp.*")
    texts, truths = draw_spectra(options.spectra)
    (options.folder / "spectra.mgf").write_text("\n".join(texts), encoding="utf-8")
    molecules, counts = draw_molecules(options.molecules, truths)
    with open(options.folder / "molecules.tsv", "w", encoding="utf-8", newline="\n") as stream:
        stream.write("id\tsmiles\n")
        for number, key in enumerate(sorted(molecules, key=draw_key), start=1):
            stream.write(f"EX{number:06d}\t{Chem.CanonSmiles(molecules[key])}\n")
    print(f"{len(texts)} spectra of {len(truths)} molecules; {len(molecules)} molecules:", counts)


if __name__ == "__main__":
    main()
