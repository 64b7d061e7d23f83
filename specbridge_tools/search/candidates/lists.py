"""Given candidate lists as rows of an index: one that exists, or one made for the occasion."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.embeddings.embed_molecules import embed_molecules
from specbridge_tools.errors import DataError
from specbridge_tools.molecules.columns import SMILES_COLUMNS
from specbridge_tools.molecules.molecule import Molecule
from specbridge_tools.molecules.pool import first_of_others, standard_forms
from specbridge_tools.molecules.raw import structure_kind
from specbridge_tools.records import Rejection, Tally
from specbridge_tools.search.candidates.list_file import CandidateTable
from specbridge_tools.search.index.build import build_index
from specbridge_tools.search.index.reader import Index, open_index
from specbridge_tools.search.molecule_encoder import encoder_of
from specbridge_tools.temporary import scratch_path

if TYPE_CHECKING:
    from specbridge_tools.bridge.model import AlignedModel

NO_LIST = "no candidate list"
NOTHING_USABLE = "no usable candidate in the list"
NOT_IN_INDEX = "not in the index"
_BLOCK_ROWS = 8192
_ID = "line="
# covers another release's masses of the elements; the keys tell the molecules apart
_MASS_WINDOW = 1e-4  # Da
_NO_ROWS = np.zeros(0, np.int64)


@dataclasses.dataclass(frozen=True)
class CandidateLists:
    """Lists of molecules to rank.

    Attributes:
        key: `list_id` or `query_id`, which names the list of a query.
        rows: name of a list -> (n,) ascending rows of the index.
    """

    key: str
    rows: dict[str, NDArray[np.int64]]

    def reason(self, name: str) -> str:
        """Why the list `name` has no candidate; '' where it has some."""
        if name not in self.rows:
            return NO_LIST
        return "" if len(self.rows[name]) else NOTHING_USABLE


def lists_in_index(table: CandidateTable, index: Index, *, tally: Tally, threads: int = 1) -> CandidateLists:
    """Find the molecules of a table in an open index by what they are.

    `tally` counts the structures; those that cannot be read or are not in the index are rejected.
    """
    rows_of = []
    structures = ((text, structure_kind(text)) for text in table.spelled)
    for number, form in enumerate(standard_forms(structures, threads=threads)):
        if isinstance(form, str):
            _, form = first_of_others(form, table.others.get(number, ()))
        rows = _NO_ROWS if isinstance(form, str) else _find(index, inchikey14=form[1], exact_mass=form[3])
        reason = form if isinstance(form, str) else ("" if len(rows) else NOT_IN_INDEX)
        tally.count(_rejection(table, number, reason) if reason else table.spelled[number])
        rows_of.append(rows)
    tally.n_written = tally.n_read - tally.n_rejected
    return _lists(table, rows_of)


def _find(index: Index, *, inchikey14: str, exact_mass: float) -> NDArray[np.int64]:
    low, masses = index.mass_window(exact_mass - _MASS_WINDOW, exact_mass + _MASS_WINDOW)
    return low + np.flatnonzero(index.inchikey14.read(low, low + len(masses)) == inchikey14.encode())


@contextlib.contextmanager
def index_of_lists(
    table: CandidateTable,
    model: AlignedModel,
    *,
    encoder: str | None = None,
    tally: Tally,
    threads: int = 1,
    device: str = "cpu",
    batch_size: int = 64,
) -> Iterator[tuple[Index, CandidateLists]]:
    """Encode the molecules of a table with the molecular encoder of `model`; yield their index, and its lists.

    The index is a temporary file. Its ids and names are those of the table, else an id says on which line a molecule
    first appears.

    Args:
        table: the candidates.
        model: whose space they are encoded into.
        encoder: what makes the encoder, as sb-embed-mols takes it, where the model's name for it does not say where its
            files are.
        tally: counts the structures.
        threads: that standardise structures and encode them.
        device: that encodes.
        batch_size: of the encoder.

    Raises:
        MismatchError: `encoder` is not the model's.
        DataError: The table has no usable candidate.
    """
    molecule_encoder = encoder_of(
        model.molecule_encoder, model.molecule_encoder_sha256, encoder, model=model.name, device=device,
        batch_size=batch_size, threads=threads,
    )  # fmt: skip
    with scratch_path() as folder:
        folder.mkdir(mode=0o700)
        spelled, vectors, path = (folder / name for name in ("spelled.tsv", "vectors.h5", "index.h5"))
        with open(spelled, "w", encoding="utf-8") as stream:
            stream.write("\t".join(("id", "name", *table.count_names, *SMILES_COLUMNS)) + "\n")
            for number, text in enumerate(table.spelled):
                others = table.others.get(number, ())[: len(SMILES_COLUMNS) - 1]
                counts = table.counts[number] if table.counts else ()
                cells = (_id(table, number), table.names[number], *counts, text, *others)
                stream.write("\t".join(map(_cell, cells)) + "\n")
        counting = _TableTally(table, tally)
        embed_molecules(
            spelled, vectors, encoder=molecule_encoder, tally=counting, input_format="tsv", threads=threads,
            may_lack_molecules=True, counts=table.count_names,
        )  # fmt: skip
        tally.n_written = counting.n_written
        if not tally.n_written:
            raise DataError("no candidate can be used", where=table.name, advice="check its SMILES")
        head = model if model.molecule_head_sha256 else None
        build_index([vectors], path, pick_model=lambda space, name: head)
        with open_index(path) as index:
            yield index, _lists(table, _rows_by_key(counting.keys, index))


class _TableTally(Tally):
    """Counts into another tally, naming each record as the candidate table does.

    Attributes:
        keys: of each structure, (InChIKey block, formula), by which repeats are merged; None where it was rejected.
    """

    def __init__(self, table: CandidateTable, tally: Tally) -> None:
        super().__init__()
        self._table = table
        self._tally = tally
        self.keys: list[tuple[str, str] | None] = []

    def count(self, record: object) -> bool:
        self.keys.append((record.inchikey14, record.formula) if isinstance(record, Molecule) else None)
        if isinstance(record, Rejection):
            record = _rejection(self._table, record.record - 1, record.reason)
        return self._tally.count(record)


def _id(table: CandidateTable, number: int) -> str:
    return table.ids[number] or f"{_ID}{table.lines[number]}"


def _cell(text: str) -> str:
    """Text as a cell that is read again as it is."""
    return f'"{text}"' if text.startswith('"') else text


def _rejection(table: CandidateTable, number: int, reason: str) -> Rejection:
    detail = table.spelled[number][:100]
    return Rejection(reason, _id(table, number), line=table.lines[number], source=table.name, detail=detail)


def _rows_by_key(keys: Sequence[tuple[str, str] | None], index: Index) -> list[NDArray[np.int64]]:
    """For each structure, by its InChIKey block and formula, the rows of the index that hold it."""
    rows: dict[tuple[str, str], NDArray[np.int64]] = {}
    for low in range(0, index.n, _BLOCK_ROWS):
        high = min(low + _BLOCK_ROWS, index.n)
        blocks = index.inchikey14.read(low, high).astype(str).tolist()
        formulas = index.texts["formula"].read(low, high)
        rows.update((key, np.array([row])) for row, key in enumerate(zip(blocks, formulas, strict=True), start=low))
    return [_NO_ROWS if key is None else rows.get(key, _NO_ROWS) for key in keys]


def _lists(table: CandidateTable, rows_of: Sequence[NDArray[np.int64]]) -> CandidateLists:
    """The lists of a table, by the rows of each structure."""
    return CandidateLists(
        table.key,
        {
            name: np.unique(np.concatenate([_NO_ROWS, *(rows_of[number] for number in numbers)]))
            for name, numbers in table.lists.items()
        },
    )
