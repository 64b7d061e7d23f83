"""GraphML of queries, candidates and references, for Cytoscape; written by lxml piece by piece."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from lxml import etree

from specbridge_tools.export.network import Edge, edges
from specbridge_tools.export.numbers import decimal
from specbridge_tools.export.result import Candidate, Result
from specbridge_tools.terminal import cell

_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_TEXTS = ("name", "kind", "level", "smiles", "inchikey14", "formula", "uri", "interaction")
_NUMBERS = ("mz", "retention_time", "weight", "score", "probability", "rank")
_OF_EDGES = ("interaction", "weight", "score", "probability", "rank")
_ON_BOTH = ("level",)


@contextlib.contextmanager
def graphml_writer(stream: TextIO) -> Iterator[GraphmlWriter]:
    """Yield a writer to an open text file, whose document ends with the context."""
    with etree.xmlfile(_Utf8(stream), encoding="utf-8") as xml:
        xml.write_declaration()
        with xml.element("graphml", xmlns=_NAMESPACE):
            for name in (*_TEXTS, *_NUMBERS):
                kind = "string" if name in _TEXTS else "double"
                if name not in _OF_EDGES:
                    _write_key(xml, f"n_{name}", "node", name, kind)
                if name in (*_OF_EDGES, *_ON_BOTH):
                    _write_key(xml, f"e_{name}", "edge", name, kind)
            with xml.element("graph", id="specbridge", edgedefault="directed"):
                yield GraphmlWriter(xml)


def _write_key(xml: Any, identifier: str, of: str, name: str, kind: str) -> None:
    with xml.element("key", {"id": identifier, "for": of, "attr.name": name, "attr.type": kind}):
        pass


class GraphmlWriter:
    """Writes the network of queries.

    Molecules and references are one node however many queries name them, so memory grows with their number.
    """

    def __init__(self, xml: Any) -> None:
        self._xml = xml
        self._seen: set[str] = set()
        self._n_queries = 0

    def write(self, result: Result) -> str:
        """Write one query with its candidates; returns ''."""
        self._n_queries += 1
        node = f"query {self._n_queries}"
        self._node(
            node,
            name=result.feature_id,
            kind="query",
            level=result.level,
            mz=decimal(result.mz, ".5f"),
            retention_time=decimal(result.retention_time, ".2f"),
        )
        for edge in edges(result):
            self._edge(node, edge)
        return ""

    def _edge(self, source: str, edge: Edge) -> None:
        candidate = edge.candidate
        target = f"{'reference' if edge.is_evidence else 'molecule'} {edge.target}"
        if target not in self._seen:
            self._seen.add(target)
            self._node(target, **_reference(edge) if edge.is_evidence else _molecule(candidate))
        values = {"interaction": edge.interaction, "weight": decimal(edge.weight, ".6g"), "level": candidate.level}
        if not edge.is_evidence:
            values |= {
                "rank": str(candidate.rank),
                "score": decimal(candidate.score, ".9g"),
                "probability": decimal(candidate.probability, ".6g"),
            }
        with self._xml.element("edge", source=_xml_text(source), target=_xml_text(target)):
            self._data("e", values)

    def _node(self, identifier: str, **values: str) -> None:
        with self._xml.element("node", id=_xml_text(identifier)):
            self._data("n", values)

    def _data(self, prefix: str, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            if value:
                with self._xml.element("data", key=f"{prefix}_{name}"):
                    self._xml.write(_xml_text(value))


class _Utf8:
    """A text file as lxml writes to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        self._stream.write(data.decode("utf-8"))


def _xml_text(text: str) -> str:
    """Text as `terminal.cell` shows it, and without the two characters that XML cannot hold beside."""
    return cell(text).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def _molecule(candidate: Candidate) -> dict[str, str]:
    return {
        "name": candidate.name or candidate.smiles or candidate.inchikey14,
        "kind": "molecule",
        "smiles": candidate.smiles,
        "inchikey14": candidate.inchikey14,
        "formula": candidate.formula,
        "uri": candidate.source.page,
    }


def _reference(edge: Edge) -> dict[str, str]:
    return {"name": edge.target, "kind": "reference"}
