"""Given candidate lists as rows of an index: one that is there, or one made for the occasion."""

import contextlib
import dataclasses
import tempfile
from pathlib import Path

import numpy as np

from specbridge_tools.embeddings.embed_molecules import embed_molecules
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.errors import DataError, MismatchError, UsageError
from specbridge_tools.molecules.pool import standard_forms
from specbridge_tools.molecules.raw import structure_kind
from specbridge_tools.records import Rejection
from specbridge_tools.search.index.build import build_index
from specbridge_tools.search.index.molecule_rows import ID_SEPARATOR
from specbridge_tools.search.index.reader import open_index

NO_LIST = "no candidate list"
NOTHING_USABLE = "no usable candidate in the list"
NOT_IN_INDEX = "not in the index"
_BLOCK_ROWS = 8192
_ID = "line="
# covers another release's masses of the elements; the keys tell the molecules apart
_MASS_WINDOW = 1e-4  # Da


@dataclasses.dataclass(frozen=True)
class CandidateLists:
    """Lists of molecules to rank. `key`: `list_id` or `query_id`; `rows`: name of a list -> ascending rows of the
    index, (n,) int64."""

    key: str
    rows: dict[str, np.ndarray]

    def reason(self, name):
        """Why the list `name` has no candidate; '' where it has some."""
        if name not in self.rows:
            return NO_LIST
        return "" if len(self.rows[name]) else NOTHING_USABLE


def lists_in_index(table, index, *, tally, threads=1):
    """Find the molecules of a `CandidateTable` in an open index by what they are; -> `CandidateLists`.

    `tally` counts the structures; those that cannot be read or are not in the index are rejected.
    """
    rows_of = []
    structures = ((text, structure_kind(text)) for text in table.spelled)
    for number, form in enumerate(standard_forms(structures, threads=threads)):
        rows = form if isinstance(form, str) else _find(index, inchikey14=form[1], exact_mass=form[3])
        reason = rows if isinstance(rows, str) else ("" if len(rows) else NOT_IN_INDEX)
        tally.count(_rejection(table, number, reason) if reason else table.spelled[number])
        rows_of.append(np.zeros(0, np.int64) if reason else rows)
    tally.n_written = tally.n_read - tally.n_rejected
    return _lists(table, rows_of)


def _find(index, *, inchikey14, exact_mass):
    low, masses = index.mass_window(exact_mass - _MASS_WINDOW, exact_mass + _MASS_WINDOW)
    return low + np.flatnonzero(index.inchikey14.read(low, low + len(masses)) == inchikey14.encode())


@contextlib.contextmanager
def index_of_lists(table, model, *, encoder=None, tally, threads=1, device="cpu", batch_size=64):
    """Encode the molecules of a `CandidateTable` with the molecular encoder of `model`; yield (index, its lists).

    encoder  what makes the encoder, as sb-embed-mols takes it, where the model's name for it does not say where its
             files are. The index lives in a temporary file. Its ids say on which line a molecule stands first.

    Raises `MismatchError` where `encoder` is not the model's.
    """
    settings = {"device": device, "batch_size": batch_size, "threads": threads}
    encoding = _encoder_of(model, encoder, settings)
    with tempfile.TemporaryDirectory(prefix="specbridge-") as folder:
        spelled, vectors, path = (Path(folder) / name for name in ("spelled.tsv", "vectors.h5", "index.h5"))
        with open(spelled, "w", encoding="utf-8") as stream:
            stream.write("id\tsmiles\n")
            rows = zip(table.lines, table.spelled, strict=True)
            stream.writelines(f"{_ID}{line}\t{text}\n" for line, text in rows)
        counting = _CountAsInTable(table, tally)
        embed_molecules(spelled, vectors, encoder=encoding, tally=counting, input_format="tsv", threads=threads)
        tally.n_written = counting.n_written
        if not tally.n_written:
            raise DataError("no candidate can be used", where=table.name, advice="check its SMILES")
        head = model if model.molecule_head_sha256 else None
        build_index([vectors], path, pick_model=lambda space, name: head)
        with open_index(path) as index:
            yield index, _lists(table, _rows_by_id(table, index))


def _encoder_of(model, encoder, settings):
    if encoder:
        made = MOLECULE_ENCODERS.create(encoder, **settings)
        if made.weights_sha256 != model.molecule_encoder_sha256:
            message = f"encoder {made.name} [weights {made.weights_sha256[:8]}] is not that of model {model.name}"
            expected = f"expected {model.molecule_encoder} [weights {model.molecule_encoder_sha256[:8]}]"
            raise MismatchError(message, advice=expected)
        return made
    # a name may say which file it was, but not where: the one that ships is known
    for name in (model.molecule_encoder, "default"):
        with contextlib.suppress(DataError, UsageError):
            made = MOLECULE_ENCODERS.create(name, **settings)
            if made.weights_sha256 == model.molecule_encoder_sha256:
                return made
    message = f"the molecular encoder {model.molecule_encoder} of model {model.name} is not at hand"
    raise UsageError(message, advice="--encoder says where it is, or --index names an index of the candidates")


class _CountAsInTable:
    """Counts for `tally`, naming each record as the candidate table has it."""

    def __init__(self, table, tally):
        self.n_written = 0
        self._table = table
        self._tally = tally

    def count(self, record):
        if isinstance(record, Rejection):
            record = _rejection(self._table, record.record - 1, record.reason)
        return self._tally.count(record)


def _rejection(table, number, reason):
    line = table.lines[number]
    return Rejection(reason, f"{_ID}{line}", line=line, source=table.name, detail=table.spelled[number][:100])


def _rows_by_id(table, index):
    """For each structure of the table, the rows of the index that hold it."""
    number_of = {line: number for number, line in enumerate(table.lines)}
    rows_of = [np.zeros(0, np.int64)] * len(table.spelled)
    for low in range(0, index.n, _BLOCK_ROWS):
        high = min(low + _BLOCK_ROWS, index.n)
        for row, ids in enumerate(index.texts["all_ids"].read(low, high), start=low):
            for each in ids.split(ID_SEPARATOR):
                rows_of[number_of[int(each.removeprefix(_ID))]] = np.array([row])
    return rows_of


def _lists(table, rows_of):
    return CandidateLists(
        table.key,
        {
            name: np.unique(np.concatenate([np.zeros(0, np.int64), *(rows_of[number] for number in numbers)]))
            for name, numbers in table.lists.items()
        },
    )
