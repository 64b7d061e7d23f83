"""How rankers of fragments do, alone, on molecules that were held back from them.

compare_rankers.py SPECTRA POOL --held-back KEYS RANKER[,RANKER...] ...

SPECTRA, POOL and KEYS as in train_ranker.py. The scores of rankers joined by commas are averaged. Prints recall at 1, 5
and 20 and the negative logarithm of the probability that a softmax of the scores, at the scale in brackets, the best
of those tried, gives the truth; all as the mean over molecules.
"""

import argparse
from pathlib import Path

import numpy as np
from train_ranker import make_example, read_molecules, read_pool, tasks

from specbridge_tools.fragmentation.network.ranker_file import load_ranker
from specbridge_tools.hits.expected_rank import RECALL_CUTOFFS, expected_recall, tie_counts
from specbridge_tools.threads import one_blas_thread

SCALES = np.arange(0.4, 1.5, 0.05)


def held_back_examples(spectra, pool, keys, *, spectra_each, decoys):
    """`Example`s of the molecules among `keys`, the truth first in each."""
    molecules = {key: value for key, value in read_molecules(spectra).items() if key in keys}
    counts = {"n_spectra": spectra_each, "n_decoys": decoys, "n_held_back_decoys": decoys, "n_held_back": len(keys)}
    made = map(make_example, tasks(molecules, read_pool(pool), keys, **counts, seed=0))
    return [example for example in made if example is not None]


def scores_of(path, examples):
    """The scores (candidates,) of each spectrum, by the mean of the networks of a ranker."""
    ranker = load_ranker(path)
    with one_blas_thread():
        return [
            evidence.score
            for example in examples
            for evidence in ranker.evidence(list(map(ranker.encode, example.candidates)), example.peaks)
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
