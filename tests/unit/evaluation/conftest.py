import numpy as np
import pytest

from specbridge_tools.evaluation.truth import Truth, TruthTable
from specbridge_tools.hits.table import QueryRows, parse_hits

COLUMNS = ("query_id", "score", "probability", "inchikey14", "mass_error_ppm", "n_candidates", "reason", "record")


def _hits(query_id, rows, *, n_candidates=None, record=0, cosines=None):
    """rows: (inchikey14, score[, mass error[, probability]]); none at all gives the one row with its reason."""
    if not rows:
        return parse_hits(QueryRows(COLUMNS, [(query_id, "", "", "", "", "0", "no candidate", str(record))]))
    n_candidates = len(rows) if n_candidates is None else n_candidates
    cells = [(*row, *("" for _ in range(4 - len(row)))) for row in rows]
    rows = [
        (query_id, repr(score), str(probability), key, str(error), str(n_candidates), "", str(record))
        for key, score, error, probability in cells
    ]
    if cosines is None:
        return parse_hits(QueryRows(COLUMNS, rows))
    return parse_hits(QueryRows((*COLUMNS, "cosine"), [(*row, c) for row, c in zip(rows, cosines, strict=True)]))


def _truths(*truths):
    """truths: (query id, inchikey14[, polarity[, adduct[, precursor m/z]]])."""
    table = TruthTable("truth.mgf")
    defaults = ("", "", 1, "[M+H]+", 250.0)
    for record, truth in enumerate(truths, start=1):
        table.add(Truth(*truth, *defaults[len(truth) :], record))
    return table


@pytest.fixture
def make_hits():
    return _hits


@pytest.fixture
def make_truths():
    return _truths


@pytest.fixture
def random_case():
    """Hits and truths of many queries: ties, repeated structures, missing truths, missing queries."""

    def make(seed, n_queries=60, n_molecules=15):
        rng = np.random.default_rng(seed)
        truths, hits = [], []
        for i in range(n_queries):
            key = f"KEY{rng.integers(n_molecules):03d}"
            adduct = ("[M+H]+", "[M-H]-")[rng.integers(2)]
            mz = float(rng.uniform(100, 900))
            truths.append((f"q{i}", key, 1 if adduct.endswith("+") else -1, adduct, mz))
            if rng.random() < 0.1:
                continue
            n = rng.integers(0, 30)
            keys = [f"KEY{k:03d}" for k in rng.integers(0, 40, n)]
            if rng.random() < 0.8:
                keys.append(key)
            scores = np.sort(rng.integers(0, 6, len(keys)) / 7)[::-1]
            keys = rng.permutation(keys)
            rows = [(str(k), float(s), round(rng.normal(), 3)) for k, s in zip(keys, scores, strict=True)]
            hits.append(_hits(f"q{i}", rows))
        order = rng.permutation(len(hits))
        return [hits[i] for i in order], _truths(*truths)

    return make
