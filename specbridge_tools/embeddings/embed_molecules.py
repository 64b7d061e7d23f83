"""A file of molecules -> a file of molecule embeddings, in constant memory but for the keys that find repeats."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.embeddings.columns import ColumnWriter, stored_vectors
from specbridge_tools.embeddings.molecules import create_molecule_embeddings, joined_ids
from specbridge_tools.encoders.base import FingerprintEncoder, MoleculeEncoder
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.molecules.counts import count_column, most
from specbridge_tools.molecules.molecule import Molecule
from specbridge_tools.molecules.reader import read_counted
from specbridge_tools.progress import SilentProgress
from specbridge_tools.provenance import Part
from specbridge_tools.records import Rejection, Tally
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra.library_molecules import read_library_molecules
from specbridge_tools.streams import Destination, Source, output_path

BLOCK = 4096
_MOST_NAMED = 20
logger = logging.getLogger(__name__)
Item = TypeVar("Item")
Counts: TypeAlias = "dict[int, int] | None"
"""Of the bits of a Morgan fingerprint; None for an encoder that needs none."""


@dataclasses.dataclass(frozen=True)
class EmbedCounts:
    """What became of the molecules.

    Attributes:
        merged: Records that repeated the structure of an earlier one.
        truncated: Molecules that were too long for the encoder, which cut them.
    """

    merged: int
    truncated: int

    def summary(self) -> str:
        return f"{self.merged} repeated structures merged, {self.truncated} truncated"


def embed_molecules(
    source: Source,
    destination: Destination,
    *,
    encoder: MoleculeEncoder | str = "default",
    tally: Tally | None = None,
    dtype: str = "float16",
    input_format: str = "auto",
    smiles_column: str | None = None,
    threads: int | None = None,
    record_range: RecordRange | None = None,
    part: Part | None = None,
    may_lack_molecules: bool = False,
    counts: Sequence[str] = (),
    force: bool = False,
    display: SilentProgress | None = None,
) -> EmbedCounts:
    """Encode a file of molecules into an embeddings file.

    A structure that occurs in several records, by InChIKey block and formula, is written once, in the place of the
    first, with the ids of all.

    Args:
        source: The molecules, in a file of them or as the structures of a library of spectra.
        destination: The embeddings.
        encoder: Encodes the molecules; or its name with options, as `sb-embed-mols --encoder` takes it.
        tally: Counts the records; its `n_written` becomes the number of molecules written.
        dtype: Of the stored vectors, float16 or float32.
        input_format: Of the molecules, see `read_molecules`; or that of a library of spectra.
        smiles_column: Column of a table that holds the structures; None to find it by its name.
        threads: Processes that standardise structures; None for as many as the scheduler allows.
        record_range: The records to encode; None for all.
        part: Which part of a whole the file then is; None for a whole.
        may_lack_molecules: Whether a file that gives no molecule is no error.
        counts: Columns of a table to carry along, numbers from 0; of repeated structures the highest one counts.
        force: Whether to replace an existing file.
        display: Shows progress in records.

    Raises:
        DataError: If the molecules cannot be read, or a vector is not finite in the dtype.
    """
    if isinstance(encoder, str):
        encoder = MOLECULE_ENCODERS.create(encoder, threads=threads)
    tally = tally or Tally(noun="molecules")
    columns = [count_column(name) for name in dict.fromkeys(counts)]
    fingerprint = encoder.fingerprint if isinstance(encoder, FingerprintEncoder) else None
    reading = read_counted(
        source, fingerprint=fingerprint, input_format=input_format, smiles_column=smiles_column, threads=threads,
        record_range=record_range, may_lack_molecules=may_lack_molecules, library=read_library_molecules,
        counts=tuple(dict.fromkeys(counts)),
    )  # fmt: skip
    with (
        output_path(destination, force=force) as temporary,
        create_molecule_embeddings(temporary, encoder=encoder, dtype=dtype, counts=columns, part=part) as writer,
        contextlib.closing(_closable(reading)) as records,
    ):
        repeats, n_truncated = _Repeats(), 0
        molecules = repeats.without(records, tally, display or SilentProgress())
        while block := list(itertools.islice(molecules, BLOCK)):
            n_truncated += _append(writer, block, encoder, dtype, columns)
        _write_repeats(writer, "all_ids", repeats.ids, joined_ids)
        for i, column in enumerate(columns):
            _write_repeats(writer, column, {row: [each[i]] for row, each in repeats.counts.items()}, most)
        tally.n_written = writer.n
    return EmbedCounts(repeats.n, n_truncated)


def _closable(records: Iterator[Item]) -> Generator[Item, None, None]:
    yield from records


class _Repeats:
    """Records that repeat the structure of an earlier one.

    Attributes:
        n: How many there are.
        ids: Row of the first record of a structure -> ids of its repeats, each once, in order.
        counts: Row of the first record of a structure -> the highest counts of its repeats.
    """

    def __init__(self) -> None:
        self.n = 0
        self.ids: dict[int, dict[str, None]] = {}
        self.counts: dict[int, tuple[str, ...]] = {}
        self._row_of: dict[str, int] = {}

    def without(
        self, records: Iterable[tuple[Molecule | Rejection, Counts]], tally: Tally, display: SilentProgress
    ) -> Iterator[tuple[Molecule, Counts]]:
        """Yield the first molecule of each structure, and take down the others."""
        for molecule, counts in records:
            display.advance()
            if not tally.count(molecule) or isinstance(molecule, Rejection):
                continue
            n_known = len(self._row_of)
            row = self._row_of.setdefault(f"{molecule.inchikey14}{molecule.formula}", n_known)
            if row == n_known:
                yield molecule, counts
            else:
                self.n += 1
                self.ids.setdefault(row, {})[molecule.id] = None
                if molecule.counts:
                    known = self.counts.get(row, molecule.counts)
                    self.counts[row] = tuple(map(most, zip(known, molecule.counts, strict=True)))


def _append(
    writer: ColumnWriter,
    block: Sequence[tuple[Molecule, Counts]],
    encoder: MoleculeEncoder,
    dtype: str,
    count_columns: Sequence[str],
) -> int:
    """Encode and write molecules; returns how many were truncated."""
    molecules = [molecule for molecule, _ in block]
    smiles = [molecule.smiles for molecule in molecules]
    n_before = len(encoder.truncated)
    if isinstance(encoder, FingerprintEncoder):
        vectors = encoder.encode_counts([counts or {} for _, counts in block])
    else:
        vectors = encoder.encode(smiles)
    truncated = set(encoder.truncated[n_before:])
    _name_truncated([molecule for molecule in molecules if molecule.smiles in truncated])
    columns: dict[str, list[Any] | NDArray[Any]] = {
        name: [getattr(molecule, name) for molecule in molecules]
        for name in ("id", "isomeric_smiles", "inchikey14", "formula", "exact_mass", "name")
    }
    columns |= {
        "embedding": stored_vectors(vectors, dtype, [molecule.id for molecule in molecules]),
        "all_ids": columns["id"],
        "smiles": smiles,
        "truncated": np.array([text in truncated for text in smiles], np.uint8),
    }
    for i, name in enumerate(count_columns):
        columns[name] = [molecule.counts[i] for molecule in molecules]
    writer.append(columns)
    return len(truncated)


def _name_truncated(molecules: Sequence[Molecule]) -> None:
    for molecule in molecules[:_MOST_NAMED]:
        logger.warning("%s: too long for the encoder, its end was cut", molecule.id)
    if len(molecules) > _MOST_NAMED:
        logger.warning("and %d more, marked in the dataset `truncated`", len(molecules) - _MOST_NAMED)


def _write_repeats(
    writer: ColumnWriter, column: str, repeated: Mapping[int, Iterable[str]], join: Callable[[Iterable[str]], str]
) -> None:
    """Join what repeated structures have in a column of text to the rows of the first ones."""
    for start, rows in itertools.groupby(sorted(repeated), key=lambda row: row // BLOCK * BLOCK):
        stop = min(start + BLOCK, writer.n)
        texts = writer.texts(column, start=start, stop=stop)
        for row in rows:
            texts[row - start] = join([texts[row - start], *repeated[row]])
        writer.write(column, texts, start=start, stop=stop)
