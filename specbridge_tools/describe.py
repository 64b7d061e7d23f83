"""What a file is, as plain values for people and programs."""

import json
import math

from specbridge_tools.embeddings.column_file import plain_attributes
from specbridge_tools.embeddings.molecules import open_molecule_embeddings
from specbridge_tools.embeddings.spectra import open_spectrum_embeddings
from specbridge_tools.errors import FormatError
from specbridge_tools.hdf5_file import open_hdf5
from specbridge_tools.hits.hits import read_hits
from specbridge_tools.molecules.reader import read_raw
from specbridge_tools.parts.kind import kind_of
from specbridge_tools.provenance import sha256_file
from specbridge_tools.records import Tally
from specbridge_tools.search.index.format import GRAPH, IVF_CENTROIDS
from specbridge_tools.search.index.reader import open_index
from specbridge_tools.spectra.reader import HEAD, read_spectra
from specbridge_tools.spectra.reader import sniff as sniff_spectra
from specbridge_tools.streams import display_name, open_input, seekable_input

_BLOCK = 8192
_MOST_HEADER_BYTES = 100_000_000  # the limit of the safetensors format
_ADVICE = "the file is broken: copy it or make it again"


def describe(source):
    """{key: value} of a file (path or `-`) of any kind that the package reads or writes; `kind` says which.

    Values are str, numbers, or lists and dicts of them. Files of records are read to their end, in constant memory.
    Raises `DataError` where a file cannot be read and `FormatError` where it is of no known kind, or broken.
    """
    name = display_name(source)
    with seekable_input(source) as path:
        describers = {
            "weights": _weights,
            "molecule embeddings": _molecule_embeddings,
            "spectrum embeddings": _spectrum_embeddings,
            "index": _index,
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


def _is_safetensors(path):
    with open_input(path) as stream:
        start = stream.read(9)
    return len(start) == 9 and start[8:] == b"{" and 0 < int.from_bytes(start[:8], "little") < _MOST_HEADER_BYTES


def _weights(path):
    with open(path, "rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
        try:
            tensors = json.loads(file.read(header_bytes))
            metadata = tensors.pop("__metadata__", {})
            ours = json.loads(metadata.get("specbridge", "{}"))
            end = 8 + header_bytes + max((tensor["data_offsets"][1] for tensor in tensors.values()), default=0)
            n_parameters = sum(math.prod(tensor["shape"]) for tensor in tensors.values())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FormatError("is a broken safetensors file", advice=_ADVICE) from error
        if file.seek(0, 2) != end:
            raise FormatError("is a truncated safetensors file", advice=_ADVICE)
    kinds = {"specbridge-model": "model", "specbridge-molecule-projection": "molecule projection"}
    values = {} if ours.get("format") not in kinds else {"kind": kinds[ours["format"]]}
    return values | ours | {"n_tensors": len(tensors), "n_parameters": n_parameters, "sha256": sha256_file(path)}


def _molecule_embeddings(path):
    with open_molecule_embeddings(path) as file:
        n_truncated = sum(int(file.read("truncated", i, i + _BLOCK).sum()) for i in range(0, len(file), _BLOCK))
        return file.attributes | {"dtype": str(file.embedding.dtype), "n_truncated": n_truncated}


def _spectrum_embeddings(path):
    with open_spectrum_embeddings(path) as file:
        n_rejected = sum(
            reason != "" for i in range(0, len(file), _BLOCK) for reason in file.read("reason", i, i + _BLOCK)
        )
        return file.attributes | {"dtype": str(file.embedding.dtype), "n_rejected": n_rejected}


def _index(path):
    with open_index(path) as index, open_hdf5(path, str(path), expected="an index") as file:
        values = plain_attributes(file) | {"dtype": str(index.dtype)}
        if len(index):
            values["lowest_mass"] = float(index.exact_mass.read(0, 1)[0])
            values["highest_mass"] = float(index.exact_mass.read(len(index) - 1, len(index))[0])
        additions = {GRAPH: "graph", IVF_CENTROIDS: "ivf"}
        return values | {key: plain_attributes(file[name]) for name, key in additions.items() if name in file}


def _hits(path):
    n_queries = n_answered = n_rows = 0
    columns = ()
    for hits in read_hits(path):
        columns = hits.columns
        n_queries += 1
        n_answered += hits.n_rows > 0
        n_rows += hits.n_rows
    return {"n_queries": n_queries, "n_answered": n_answered, "n_candidates": n_rows, "columns": list(columns)}


def _spectra(path):
    with open_input(path) as stream:
        form = sniff_spectra(stream.read(HEAD), str(path))
    return {"format": form, **_records(read_spectra(path, input_format=form))}


def _molecules(path):
    return _records(read_raw(path))


def _records(records):
    tally = Tally()
    for record in records:
        tally.count(record)
    return {"n": tally.n_read - tally.n_rejected, "n_rejected": tally.n_rejected, "reasons": dict(tally.reasons)}


def lines(values, *, prefix=""):
    """`key<tab>value` lines of what `describe` gives; nested keys are joined by dots."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from lines(value, prefix=f"{prefix}{key}.")
        elif isinstance(value, list):
            yield f"{prefix}{key}\t{', '.join(map(str, value))}"
        else:
            yield f"{prefix}{key}\t{'' if value is None or value == {} else value}"
