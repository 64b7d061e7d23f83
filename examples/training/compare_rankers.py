"""How rankers of fragments do, alone, on molecules that were held back from them.

compare_rankers.py SPECTRA POOL --held-back KEYS RANKER[,RANKER...] ...

SPECTRA: MGF with SMILES; POOL: TSV (plain, .gz or .xz) of canonical molecules with the columns inchikey14, smiles and
exact_mass; KEYS: one InChIKey block a line. The scores of rankers joined by commas are averaged. Prints recall at 1, 5
and 20 and the negative logarithm of the probability that a softmax of the scores, at the scale in brackets, the best
of those tried, gives the truth; all as the mean over molecules.
"""

import argparse
import gzip
import lzma
import sys
from pathlib import Path

import numpy as np

from specbridge_tools.fragmentation.network.ranker_file import load_ranker
from specbridge_tools.fragmentation.training.examples import make_examples, measured_molecules
from specbridge_tools.hits.expected_rank import RECALL_CUTOFFS, expected_recall, tie_counts
from specbridge_tools.records import Tally
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.threads import one_blas_thread

SCALES = np.arange(0.4, 1.5, 0.05)
PPM = 10


def read_pool(path):
    """A function of a mass (Da): the molecules (InChIKey block, SMILES) of a table within 10 ppm, by mass."""
    opener = {".xz": lzma.open, ".gz": gzip.open}.get(Path(path).suffix, open)
    with opener(path, "rt") as file:
        header = file.readline().rstrip("\n").split("\t")
        key, smiles, mass = (header.index(name) for name in ("inchikey14", "smiles", "exact_mass"))
        rows = [line.rstrip("\n").split("\t") for line in file]
    rows.sort(key=lambda row: float(row[mass]))
    masses = np.array([float(row[mass]) for row in rows])

    def isomers(exact_mass):
        low, high = np.searchsorted(masses, [exact_mass * (1 - PPM * 1e-6), exact_mass * (1 + PPM * 1e-6)])
        return [(row[key], row[smiles]) for row in rows[low:high]]

    return isomers


def held_back_examples(spectra, pool, keys, *, spectra_each, decoys):
    """`Example`s of the molecules among `keys`, the truth first in each."""
    tally = Tally(noun="spectra")
    molecules = {key: one for key, one in measured_molecules(read_spectra(spectra), tally).items() if key in keys}
    examples, counts = make_examples(molecules, read_pool(pool), spectra_each=spectra_each, most_decoys=decoys)
    print(f"{tally.summary()}; {counts.summary()}", file=sys.stderr)
    return examples


def scores_of(path, examples):
    """The scores (candidates,) of each spectrum, by the mean of the networks of a ranker."""
    ranker = load_ranker(path)
    with one_blas_thread():
        return [
            evidence.score
            for example in examples
            for evidence in ranker.evidence(list(map(ranker.encode, example.candidates())), example.peaks)
        ]


def surprise(score, scale):
    """Negative logarithm of the probability of the first candidate."""
    scaled = scale * (score - score.max())
    return np.log(np.exp(scaled).sum()) - scaled[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spectra")
    parser.add_argument("pool")
    parser.add_argument("rankers", nargs="+")
    parser.add_argument("--held-back", required=True, help="file with one InChIKey block a line")
    parser.add_argument("--spectra-each", type=int, default=4)
    parser.add_argument("--decoys", type=int, default=150)
    options = parser.parse_args()
    keys = set(Path(options.held_back).read_text().split())
    examples = held_back_examples(
        options.spectra, options.pool, keys, spectra_each=options.spectra_each, decoys=options.decoys
    )
    weights = np.concatenate([[1 / len(example.peaks)] * len(example.peaks) for example in examples])
    print(f"{len(weights)} spectra of {len(examples)} molecules")
    known = {}
    for name in options.rankers:
        paths = name.split(",")
        known |= {path: scores_of(path, examples) for path in paths if path not in known}
        scores = [np.mean(each, axis=0) for each in zip(*(known[path] for path in paths), strict=True)]
        above, tied = np.transpose([tie_counts(score.round(5), 0) for score in scores])
        recalls = [np.average(expected_recall(above, tied, k), weights=weights) for k in RECALL_CUTOFFS]
        value, scale = min(
            (np.average([surprise(score, scale) for score in scores], weights=weights), scale) for scale in SCALES
        )
        shown = " / ".join(f"{100 * recall:.1f}" for recall in recalls)
        print(f"{name}: R@1 / 5 / 20 {shown}, -log p {value:.3f} ({scale:.2f})", flush=True)


if __name__ == "__main__":
    main()
