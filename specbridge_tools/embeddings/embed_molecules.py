"""A file of molecules -> a file of molecule embeddings, in constant memory but for the keys that find repeats."""

import contextlib
import dataclasses
import itertools
import logging

import numpy as np

from specbridge_tools.embeddings.molecules import create_molecule_embeddings, joined_ids
from specbridge_tools.embeddings.precision import stored
from specbridge_tools.encoders.base import FingerprintEncoder
from specbridge_tools.molecules.reader import read_counted
from specbridge_tools.progress import SilentProgress
from specbridge_tools.streams import output_path

BLOCK = 4096
_NAMED_AT_MOST = 20
_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class EmbedCounts:
    """How many records repeated the structure of an earlier one, and how many molecules the encoder had to cut."""

    merged: int
    truncated: int

    def summary(self):
        return f"{self.merged} repeated structures merged, {self.truncated} truncated"


def embed_molecules(
    source,
    destination,
    *,
    encoder,
    tally,
    dtype="float16",
    input_format="auto",
    smiles_column=None,
    threads=None,
    record_range=None,
    part=None,
    force=False,
    display=None,
):
    """Encode the molecules of `source` (path, `-` or binary file) into an embeddings file; -> `EmbedCounts`.

    encoder  a `MoleculeEncoder`
    tally    counts the records; its `n_written` becomes the number of molecules written
    dtype    of the stored vectors, float16 or float32
    record_range   `shards.RecordRange` of the records to encode, None for all; part: `provenance.Part` that the file then is

    A structure that stands in several records, by InChIKey block and formula, is written once, where it came first,
    with the ids of all. Raises `DataError` where a vector does not fit the dtype.
    """
    display = display or SilentProgress()
    with (
        output_path(destination, force=force) as temporary,
        create_molecule_embeddings(temporary, encoder=encoder, dtype=dtype, part=part) as writer,
        contextlib.closing(
            read_counted(
                source,
                fingerprint=encoder.fingerprint if isinstance(encoder, FingerprintEncoder) else None,
                input_format=input_format,
                smiles_column=smiles_column,
                threads=threads,
                record_range=record_range,
            )
        ) as records,
    ):
        repeats = _Repeats()
        first = repeats.first_of_each(records, tally, display)
        n_truncated = 0
        while block := list(itertools.islice(first, BLOCK)):
            n_truncated += _append(writer, block, encoder, dtype)
        _write_all_ids(writer, repeats.ids)
        tally.n_written = writer.n
    return EmbedCounts(repeats.n, n_truncated)


class _Repeats:
    """Lets the first molecule of each structure pass and keeps the ids of the others, by its row."""

    def __init__(self):
        self.n = 0
        self.ids = {}
        self._row_of = {}

    def first_of_each(self, records, tally, display):
        for molecule, counts in records:
            display.advance()
            if not tally.count(molecule):
                continue
            n_known = len(self._row_of)
            row = self._row_of.setdefault(f"{molecule.inchikey14}{molecule.formula}", n_known)
            if row == n_known:
                yield molecule, counts
            else:
                self.n += 1
                # a dict as a set that keeps the order
                self.ids.setdefault(row, {})[molecule.id] = None


def _append(writer, block, encoder, dtype):
    """Encode and write (molecule, counts) pairs; the number of truncated ones."""
    molecules = [molecule for molecule, _ in block]
    smiles = [molecule.smiles for molecule in molecules]
    n_before = len(encoder.truncated)
    if isinstance(encoder, FingerprintEncoder):
        vectors = encoder.encode_counts([counts for _, counts in block])
    else:
        vectors = encoder.encode(smiles)
    truncated = set(encoder.truncated[n_before:])
    _name_truncated([molecule for molecule in molecules if molecule.smiles in truncated])
    columns = {
        name: [getattr(molecule, name) for molecule in molecules]
        for name in ("id", "isomeric_smiles", "inchikey14", "formula", "exact_mass", "name")
    }
    columns |= {
        "embedding": stored(vectors, dtype, [molecule.id for molecule in molecules]),
        "all_ids": columns["id"],
        "smiles": smiles,
        "truncated": np.array([text in truncated for text in smiles], np.uint8),
    }
    writer.append(columns)
    return len(truncated)


def _name_truncated(molecules):
    for molecule in molecules[:_NAMED_AT_MOST]:
        _logger.warning("%s: longer than the encoder reads, its end was cut", molecule.id)
    if len(molecules) > _NAMED_AT_MOST:
        rest = len(molecules) - _NAMED_AT_MOST
        _logger.warning("and %d more, marked in the dataset `truncated`", rest)


def _write_all_ids(writer, repeated):
    """Add the ids of repeated structures: {row: ids}."""
    for start, rows in itertools.groupby(sorted(repeated), key=lambda row: row // BLOCK * BLOCK):
        stop = min(start + BLOCK, writer.n)
        ids = writer.texts("all_ids", start=start, stop=stop)
        for row in rows:
            ids[row - start] = joined_ids([ids[row - start], *repeated[row]])
        writer.write("all_ids", ids, start=start, stop=stop)
