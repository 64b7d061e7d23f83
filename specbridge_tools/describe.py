"""What a file is, as plain values for people and programs."""

from __future__ import annotations

import collections
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from specbridge_tools.embeddings.molecules import open_molecule_embeddings
from specbridge_tools.embeddings.spectra import open_spectrum_embeddings
from specbridge_tools.errors import FormatError
from specbridge_tools.hdf5_file import open_hdf5
from specbridge_tools.hits.table import read_query_rows
from specbridge_tools.molecules.reader import read_raw
from specbridge_tools.parts.kind import kind_of
from specbridge_tools.provenance import sha256_file
from specbridge_tools.records import Tally
from specbridge_tools.reference.file import open_reference_file
from specbridge_tools.search.index.format import GRAPH, IVF_CENTROIDS
from specbridge_tools.search.index.reader import open_index
from specbridge_tools.spectra.reader import HEAD, read_spectra
from specbridge_tools.spectra.reader import sniff as sniff_spectra
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.streams import display_name, open_input, seekable_input
from specbridge_tools.terminal import cell
from specbridge_tools.weights.tensor_file import read_shapes

Values: TypeAlias = dict[str, object]  # text, numbers, or lists and dicts of them

_BLOCK = 8192
_MOST_HEADER_BYTES = 100_000_000  # the limit of the safetensors format


def describe(source: str | os.PathLike[str]) -> Values:
    """Say what a file (path or `-`) of any kind is that the package reads or writes, in plain values for JSON.

    `kind` says which kind it is. Files of records are read to their end, in constant memory.

    Raises:
        DataError: Where the file cannot be read.
        FormatError: Where it is of no known kind, or broken.
    """
    name = display_name(source)
    with seekable_input(source) as path:
        describers: dict[str, Callable[[Path], Values]] = {
            "weights": _weights,
            "molecule embeddings": _molecule_embeddings,
            "spectrum embeddings": _spectrum_embeddings,
            "index": _index,
            "reference": _reference,
            "spectra": _spectra,
        }
        kind = "weights" if _is_safetensors(path) else kind_of(path, name)
        try:
            if kind in describers:
                values = describers[kind](path)
            else:
                values = _hits(path) if kind.startswith("hits") else _molecules(path)
        except FormatError as error:
            error.where = name
            raise
    return {"file": name, "kind": kind, **values}


def _is_safetensors(path: Path) -> bool:
    with open_input(path) as stream:
        start = stream.read(9)
    return len(start) == 9 and start[8:] == b"{" and 0 < int.from_bytes(start[:8], "little") < _MOST_HEADER_BYTES


def _weights(path: Path) -> Values:
    header, shapes = read_shapes(path)
    kinds = {"specbridge-model": "model", "specbridge-molecule-projection": "molecule projection"}
    kind = {"kind": kinds[found]} if (found := str(header.get("format"))) in kinds else {}
    n_parameters = sum(map(math.prod, shapes.values()))
    return kind | header | {"n_tensors": len(shapes), "n_parameters": n_parameters, "sha256": sha256_file(path)}


def _molecule_embeddings(path: Path) -> Values:
    with open_molecule_embeddings(path) as file:
        n_truncated = sum(int(file.read("truncated", i, i + _BLOCK).sum()) for i in range(0, len(file), _BLOCK))
        return {**file.attributes, "dtype": str(file.embedding.dtype), "n_truncated": n_truncated}


def _spectrum_embeddings(path: Path) -> Values:
    with open_spectrum_embeddings(path) as file:
        n_rejected = sum(
            reason != "" for i in range(0, len(file), _BLOCK) for reason in file.read("reason", i, i + _BLOCK)
        )
        return {**file.attributes, "dtype": str(file.embedding.dtype), "n_rejected": n_rejected}


def _index(path: Path) -> Values:
    with open_index(path) as index, open_hdf5(path, str(path), expected="an index") as file:
        values: Values = {**file.attributes, "dtype": str(index.dtype)}
        if len(index):
            values["lowest_mass"] = float(index.exact_mass.read(0, 1)[0])
            values["highest_mass"] = float(index.exact_mass.read(len(index) - 1, len(index))[0])
        additions = {GRAPH: "graph", IVF_CENTROIDS: "ivf"}
        return values | {
            key: dict(file.datasets[name].attributes) for name, key in additions.items() if name in file.datasets
        }


def _reference(path: Path) -> Values:
    with open_reference_file(path) as file:
        spectra, texts, _, _ = file.read()
        licences = collections.Counter(texts.text("licence", row) for row in range(len(spectra)))
        n_by_polarity = {
            sign: int((spectra.polarity == value).sum()) for sign, value in (("positive", 1), ("negative", -1))
        }
        return {
            **file.attributes,
            **n_by_polarity,
            "n_peaks": len(spectra.mz),
            "licences": dict(licences.most_common()),
        }


def _hits(path: Path) -> Values:
    n_queries = n_answered = n_rows = 0
    columns: tuple[str, ...] = ()
    for query in read_query_rows(path):
        columns = query.columns
        n_queries += 1
        if query.rows[0][columns.index("inchikey14")]:
            n_answered += 1
            n_rows += len(query.rows)
    return {"n_queries": n_queries, "n_answered": n_answered, "n_candidates": n_rows, "columns": list(columns)}


def _spectra(path: Path) -> Values:
    with open_input(path) as stream:
        form = sniff_spectra(stream.read(HEAD), str(path))
    return {"format": form, **_records(read_spectra(path, reading=Reading(input_format=form or "auto")))}


def _molecules(path: Path) -> Values:
    return _records(read_raw(path))


def _records(records: Iterable[object]) -> Values:
    tally = Tally()
    for record in records:
        tally.count(record)
    return {"n": tally.n_read - tally.n_rejected, "n_rejected": tally.n_rejected, "reasons": dict(tally.reasons)}


def lines(values: Mapping[str, object], *, prefix: str = "") -> Iterator[str]:
    """Print the result of `describe` as lines `key<tab>value`; nested keys are joined by dots."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from lines(value, prefix=f"{prefix}{key}.")
        elif isinstance(value, list):
            yield f"{cell(prefix + key)}\t{cell(', '.join(map(str, value)))}"
        else:
            yield f"{cell(prefix + key)}\t{cell('' if value is None or value == {} else str(value))}"
