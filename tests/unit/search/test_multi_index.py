"""Graphs and IVF lists of several indexes, searched as one."""

import io

import numpy as np
import pytest

from specbridge_tools.search.index.build import merge_indexes
from specbridge_tools.search.index.hnsw import GraphOptions
from specbridge_tools.search.index.ivf import IvfOptions
from specbridge_tools.search.index.reader import open_index
from specbridge_tools.search.multi_index import opened_together
from specbridge_tools.search.queries.source import open_query_source
from specbridge_tools.search.search import DEFAULT_OPTIONS, SearchOptions, search_queries

N, DIMENSION, TOP = 1000, 24, 10
GRAPH, IVF = GraphOptions(m=8, ef_construction=60), IvfOptions(lists=16)
KINDS = {"graph": (GRAPH,) * 4, "ivf": (IVF,) * 4, "graph and ivf": (GRAPH, IVF, GRAPH, IVF)}


def query(spectra, *, options=DEFAULT_OPTIONS, **settings):
    """The hits of each record of a file."""
    with open_query_source(spectra, reread=options.group_by is not None) as source:
        yield from search_queries(source, options=options, **settings)


class Model:
    """A stand-in that places a spectrum by its number."""

    name, dimension, weights_sha256 = "stand-in", DIMENSION, "c3" * 32
    molecule_encoder, molecule_encoder_sha256, molecule_head_sha256 = "toy:dimension=8", "a1" * 32, ""
    calibration = None

    def encode(self, spectra, *, batch_size=64):
        vectors = np.stack([np.random.default_rng(s.record).normal(size=DIMENSION) for s in spectra])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("f4")


def answered(index, **options):
    """The hits of 25 spectra, each (InChIKey block, score) and all rows."""
    lines = (f"BEGIN IONS\nTITLE=q{i}\nPEPMASS=300.1\nCHARGE=1+\n50.5 1\nEND IONS\n" for i in range(25))
    settings = {"model": Model(), "options": SearchOptions("open", **options)}
    answers = list(query(io.BytesIO("".join(lines).encode()), index=index, **settings))
    keyed = [list(zip(hits.column("inchikey14"), hits.numbers("score"), strict=True)) for hits in answers]
    return keyed, [hits.rows() for hits in answers]


@pytest.mark.slow
@pytest.mark.graph
@pytest.mark.ivf
@pytest.mark.parametrize("kind", KINDS)
def test_shards_give_what_the_whole_gives(kind, write_index, make_rows, tmp_path):
    """Whatever the shards lead to has its exact score, best first, and hardly one of the exact best is missed."""
    rows = make_rows(np.linspace(100, 900, N), dimension=DIMENSION)
    shards = [tmp_path / f"{number}.h5" for number in range(4)]
    for number, (shard, neighbours) in enumerate(zip(shards, KINDS[kind], strict=True)):
        plain = write_index(rows.take(np.arange(number, N, 4)), tmp_path / f"plain{number}.h5")
        merge_indexes([plain], shard, neighbours=neighbours)
    with open_index(write_index(rows, tmp_path / "whole.h5")) as index:
        scores, _ = answered(index, exact=True, top=100)
        exact, exact_rows = answered(index, exact=True, top=TOP)
    with opened_together([open_index(shard) for shard in shards]) as several:
        assert answered(several, exact=True, top=TOP)[1] == exact_rows
        listed, _ = answered(several, top=TOP, hnsw_ef=60, ivf_probes=12)
    for candidates, all_scores in zip(listed, scores, strict=True):
        assert len(candidates) == TOP
        assert set(candidates) <= set(all_scores)
        assert [score for _, score in candidates] == sorted((score for _, score in candidates), reverse=True)
    n_found = sum(len(set(candidates) & set(best)) for candidates, best in zip(listed, exact, strict=True))
    assert n_found / (TOP * len(exact)) > 0.95
