"""The library that ships -> an index of it, for one molecular encoder."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from specbridge_tools.embeddings.columns import stored_vectors
from specbridge_tools.embeddings.embed_molecules import embed_molecules
from specbridge_tools.embeddings.space import Space
from specbridge_tools.encoders.base import MoleculeEncoder
from specbridge_tools.encoders.molecular.morgan import CountsEncoder
from specbridge_tools.library.export import export_table
from specbridge_tools.library.packed import LibraryFacts, MoleculeColumns, read_bits, read_columns
from specbridge_tools.molecules.fingerprints import bits_matrix
from specbridge_tools.progress import SilentProgress
from specbridge_tools.search.index.build import build_index
from specbridge_tools.search.index.exact_scores import unit_rows
from specbridge_tools.search.index.format import create_index_file
from specbridge_tools.search.index.molecule_rows import Rows
from specbridge_tools.temporary import scratch_path
from specbridge_tools.threads import available_threads, one_blas_thread

if TYPE_CHECKING:
    from specbridge_tools.bridge.model import AlignedModel

_BLOCK = 4096
_DTYPE = "float16"
_AHEAD = 2


@dataclasses.dataclass(frozen=True)
class Target:
    """For which vectors an index of the library is made.

    Attributes:
        name: Of the model, for messages.
        encoder: Name of its molecular encoder.
        weights_sha256: Of that encoder.
        head_sha256: Of the model's molecule head, '' for none.
        model: The model, where it has a head.
    """

    name: str
    encoder: str
    weights_sha256: str
    head_sha256: str = ""
    model: AlignedModel | None = None

    @classmethod
    def of_model(cls, model: AlignedModel) -> Target:
        """The space of a loaded model."""
        head = model.molecule_head_sha256
        return cls(
            model.name, model.molecule_encoder, model.molecule_encoder_sha256, head, model if head else None
        )  # fmt: skip


def build_library(
    facts: LibraryFacts,
    path: Path,
    target: Target,
    encoder: MoleculeEncoder,
    *,
    threads: int | None = None,
    display: SilentProgress | None = None,
) -> None:
    """Write the index of a library to a new file; progress counts molecules.

    The index is the one that `embed_molecules` and `build_index` make of the same table, byte for byte. For an encoder
    of the bits that the library holds nothing is left to be done by RDKit, and it takes seconds.

    Args:
        facts: Of the library.
        path: Of the index.
        target: For which model.
        encoder: The molecular encoder of the target.
        threads: None for all that the scheduler allows.
        display: Shows progress.
    """
    molecules, threads = read_columns(facts), threads or available_threads()
    display = display or SilentProgress()
    if isinstance(encoder, CountsEncoder) and reads_packed_bits(facts, encoder):
        _build_from_bits(facts, molecules, path, target, encoder, threads=threads, display=display)
    else:
        _build_from_structures(molecules, path, target, encoder, threads=threads, display=display)


def reads_packed_bits(facts: LibraryFacts, encoder: MoleculeEncoder) -> bool:
    """Whether the fingerprints of a library are what an encoder reads, so that no structure need be parsed."""
    return isinstance(encoder, CountsEncoder) and not encoder.counts and encoder.fingerprint == facts.fingerprint


def _build_from_structures(
    molecules: MoleculeColumns,
    path: Path,
    target: Target,
    encoder: MoleculeEncoder,
    *,
    threads: int,
    display: SilentProgress,
) -> None:
    with scratch_path() as folder:
        folder.mkdir(mode=0o700)
        table, vectors = folder / "library.tsv", folder / "vectors.h5"
        with open(table, "w", encoding="utf-8") as stream:
            export_table(molecules, stream)
        embed_molecules(table, vectors, encoder=encoder, dtype=_DTYPE, threads=threads, display=display)
        build_index([vectors], path, pick_model=lambda space, name: target.model, dtype=_DTYPE, force=True)


def _build_from_bits(
    facts: LibraryFacts,
    molecules: MoleculeColumns,
    path: Path,
    target: Target,
    encoder: CountsEncoder,
    *,
    threads: int,
    display: SilentProgress,
) -> None:
    n = facts.n_molecules
    columns = {name: np.array(molecules.texts[name], object) for name in ("id", "smiles", "formula", "name")}
    columns["all_ids"] = columns["id"]
    keys = np.array(molecules.texts["inchikey14"], "S14")
    fingerprints = bits_matrix(*read_bits(facts, molecules.texts["smiles"]), bits=facts.fingerprint[1])
    space = Space(target.encoder, target.weights_sha256, target.head_sha256, encoder.dimension)
    starts = range(0, n, _BLOCK)

    def rows_from(start: int) -> Rows:
        part = slice(start, min(start + _BLOCK, n))
        texts = {name: column[part] for name, column in columns.items()}
        vectors = stored_vectors(encoder.encode_matrix(fingerprints[part]), _DTYPE, texts["id"].tolist()).astype(
            np.float32
        )
        placed = vectors if target.model is None else target.model.encode_molecules(vectors)
        numbers = np.arange(part.start, part.stop)
        return Rows(
            molecules.exact_mass[part], keys[part], texts, np.zeros(len(numbers), int), numbers,
            unit_rows(placed, _DTYPE),
        )  # fmt: skip

    sizes = {name: len("".join(column).encode()) for name, column in columns.items()}
    with (
        ThreadPoolExecutor(threads) as pool,
        one_blas_thread(),
        create_index_file(path, space, n=n, dtype=_DTYPE, text_bytes=sizes) as file,
    ):
        for rows in _in_order(pool, rows_from, starts, ahead=_AHEAD * threads):
            file.append(rows)
            display.advance(len(rows))


def _in_order(
    pool: ThreadPoolExecutor, function: Callable[[int], Rows], starts: Iterable[int], *, ahead: int
) -> Iterator[Rows]:
    """What a function returns, in order, computed a few blocks ahead."""
    waiting: collections.deque[Future[Rows]] = collections.deque()
    for start in starts:
        waiting.append(pool.submit(function, start))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
