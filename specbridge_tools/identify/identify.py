"""Search and re-ranking in one step."""

import dataclasses

from specbridge_tools.embeddings.spectra import holds_embeddings
from specbridge_tools.errors import UsageError
from specbridge_tools.fragmentation.network.ranker_file import find_ranker
from specbridge_tools.fragmentation.probability import check_probabilities
from specbridge_tools.hits.hits import COLUMNS, Hits
from specbridge_tools.hits.rows import above_probability
from specbridge_tools.identify.rerank import output_columns, rerank
from specbridge_tools.search.search import query, search_queries

DEFAULT_TOP = 50


@dataclasses.dataclass(frozen=True, eq=False)
class Reranking:
    """The ranker, and how many of the candidates with the highest cosine it scores anew, at least 1."""

    ranker: object
    top: int = DEFAULT_TOP


def reranking(stream, *, model=None, top=None):
    """The `Reranking` that suits spectra and model, or None for no re-ranking.

    stream  spectra or spectrum embeddings, with `peek`; model: path, None for the one that ships
    top     candidates to score anew, 0 for none; None for the default, where there are peaks and the model has a ranker

    Raises `UsageError` where re-ranking is asked for and cannot be.
    """
    if top == 0 or (top is None and holds_embeddings(stream)):
        return None
    if holds_embeddings(stream):
        raise UsageError("spectrum embeddings have no peaks to re-rank by", advice="give the spectra, or --rerank 0")
    ranker = find_ranker(model)
    if ranker is None and top is not None:
        advice = "use the model that ships, or --rerank 0"
        raise UsageError("the model holds no ranker", where=model, advice=advice)
    return None if ranker is None else Reranking(ranker, top or DEFAULT_TOP)


def query_hits(source, *, reranking, options, threads=1, **settings):
    """The columns and an iterator of the `Hits` of each record or group of `source`.

    reranking  `Reranking`, or None to rank by cosine alone; other arguments as in `search.search.answers`.

    `options.top` and `options.min_probability` are of the lists as they come out. The candidates beyond those that are
    scored anew follow by cosine.
    """
    if reranking is None:
        return COLUMNS, query(source, options=options, threads=threads, **settings)
    if options.min_probability is not None:
        check_probabilities(reranking.ranker, reranking.top)
    top = options.top and max(options.top, reranking.top)
    gathered = dataclasses.replace(options, top=top, with_ties=True, min_probability=None)
    found = search_queries(source, options=gathered, threads=threads, keep_spectra=True, **settings)
    reranked = rerank(found, reranking.ranker, top=reranking.top, threads=threads)
    return output_columns(COLUMNS), (_reported(one.hits, options) for one in reranked)


def _reported(hits, options):
    hits = Hits(hits.columns, hits.rows[: options.top or None])
    return hits if options.min_probability is None else above_probability(hits, options.min_probability)
