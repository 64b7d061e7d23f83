"""Fit how much cosine and fragment score weigh: python fit_fusion.py RERANKED SPECTRA --model M -o M2

RERANKED: hits of spectra of held-back molecules, made with a model that was not trained on them:
    sb-query SPECTRA --index index.h5 --model M --rerank 0 --top 0 -o HITS
    sb-rerank HITS --spectra SPECTRA --model M --top 0 -o RERANKED
SPECTRA: the same spectra, whose structures are the truth. Queries whose list lacks the truth do not count.
"""

import argparse

import numpy as np

from specbridge_tools.fragmentation.fusion import fit_fusion
from specbridge_tools.fragmentation.ranker import Ranker
from specbridge_tools.fragmentation.ranker_file import add_ranker, load_ranker
from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.search.hits import read_hits
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.spectrum import Spectrum


def read_queries(hits, spectra, held_back):
    """(InChIKey block, features, row of the truth) of each query whose list holds the truth and a decoy."""
    truths = {one.id: structure_key(one) for one in read_spectra(spectra) if isinstance(one, Spectrum)}
    for query in read_hits(hits):
        truth = truths.get(query.query_id)
        if query.n_rows < 2 or (held_back and truth not in held_back) or truth not in query.column("inchikey14"):
            continue
        features = np.stack([query.numbers("cosine"), query.numbers("fragment_score")], axis=1)
        rows = np.flatnonzero(~np.isnan(features).any(axis=1))
        row = np.flatnonzero(rows == query.column("inchikey14").index(truth))
        if len(row):
            yield truth, features[rows], int(row[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hits")
    parser.add_argument("spectra")
    parser.add_argument("--model", required=True, help="that made them; it holds the ranker")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--per-molecule", type=int, default=4, help="most queries of one molecule")
    options = parser.parse_args()
    ranker = load_ranker(options.model)
    counts, queries = {}, []
    for truth, features, row in read_queries(options.hits, options.spectra, set(ranker.config.get("held_back", ()))):
        counts[truth] = counts.get(truth, 0) + 1
        if counts[truth] <= options.per_molecule:
            queries.append((features, row))
    cosine, fragment = fit_fusion(queries)
    weights = {"cosine_weight": round(cosine, 4), "fragment_weight": round(fragment, 4)}
    add_ranker(Ranker(ranker.weights, {**ranker.config, **weights}), options.model, options.output, force=True)
    for name, columns in (("cosine", (1, 0)), ("fragment score", (0, 1)), ("fused", (cosine, fragment))):
        first = [int(np.argmax(features @ columns)) == row for features, row in queries]
        print(f"{name}: R@1 {np.mean(first):.3f} of {len(queries)} queries of {len(counts)} held-back molecules")
    print(weights)


if __name__ == "__main__":
    main()
