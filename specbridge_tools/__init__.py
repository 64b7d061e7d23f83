"""Name the molecule behind an MS/MS spectrum; the commands `sb-*` are these functions.

    >>> import specbridge_tools as sb
    >>> for hits in sb.identify("spectra.mgf"):
    ...     print(hits.query_id, hits.reason or hits.printed(0))

Without an index it searches the library of known molecules that ships. Names are imported when they are used: importing
the package loads neither torch nor RDKit.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Hits": "hits.hits",
    "Molecule": "molecules.molecule",
    "Prior": "hits.prior",
    "References": "identification.references",
    "SearchOptions": "search.search",
    "Spectrum": "spectra.spectrum",
    "Tolerance": "search.candidates.tolerance",
    "Reading": "spectra.reading",
    "build_index": "search.index.build",
    "embed_molecules": "embeddings.embed_molecules",
    "evaluate": "evaluation.evaluate",
    "explained_peaks": "identification.explained",
    "identify": "identification.identify",
    "load_model": "bridge.checkpoint",
    "load_ranker": "fragmentation.network.ranker_file",
    "open_index": "search.index.reader",
    "read_hits": "hits.table",
    "read_molecules": "molecules.reader",
    "read_spectra": "spectra.reader",
    "rerank_hits": "identification.identify",
}

if TYPE_CHECKING:
    from specbridge_tools.bridge.checkpoint import load_model
    from specbridge_tools.embeddings.embed_molecules import embed_molecules
    from specbridge_tools.evaluation.evaluate import evaluate
    from specbridge_tools.fragmentation.network.ranker_file import load_ranker
    from specbridge_tools.hits.hits import Hits
    from specbridge_tools.hits.prior import Prior
    from specbridge_tools.hits.table import read_hits
    from specbridge_tools.identification.explained import explained_peaks
    from specbridge_tools.identification.identify import identify, rerank_hits
    from specbridge_tools.identification.references import References
    from specbridge_tools.molecules.molecule import Molecule
    from specbridge_tools.molecules.reader import read_molecules
    from specbridge_tools.search.candidates.tolerance import Tolerance
    from specbridge_tools.search.index.build import build_index
    from specbridge_tools.search.index.reader import open_index
    from specbridge_tools.search.search import SearchOptions
    from specbridge_tools.spectra.reader import read_spectra
    from specbridge_tools.spectra.reading import Reading
    from specbridge_tools.spectra.spectrum import Spectrum

__all__ = [  # noqa: RUF022, in the order of the data
    "read_spectra",
    "Reading",
    "read_molecules",
    "Spectrum",
    "Molecule",
    "load_model",
    "load_ranker",
    "embed_molecules",
    "build_index",
    "open_index",
    "identify",
    "rerank_hits",
    "SearchOptions",
    "Tolerance",
    "References",
    "Prior",
    "Hits",
    "read_hits",
    "explained_peaks",
    "evaluate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
