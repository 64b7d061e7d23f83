"""A table of molecules -> the small file that ships."""

from __future__ import annotations

import contextlib
import importlib.metadata
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from specbridge_tools.errors import DataError
from specbridge_tools.library.bit_table import MOST_BITS, Bits
from specbridge_tools.library.packed import TEXTS, MoleculeColumns, write_library
from specbridge_tools.molecules.molecule import Molecule
from specbridge_tools.molecules.reader import read_counted
from specbridge_tools.progress import SilentProgress
from specbridge_tools.records import Tally
from specbridge_tools.streams import Destination, open_input

_XZ = b"\xfd7zXZ\0"


def pack_library(
    table: Path,
    destination: Destination,
    *,
    licence: str,
    fingerprint: tuple[int, int] = (2, 4096),
    threads: int | None = None,
    tally: Tally | None = None,
    force: bool = False,
    display: SilentProgress | None = None,
) -> None:
    """Pack a table of molecules: TSV, as it is or compressed with gzip or xz.

    Structures are standardised, so that key, formula, mass and fingerprint are those that the package finds; of several
    records with one key and formula the first is kept. A column `sources` is kept, too. A molecule without an id gets
    `inchikey:` and the first block of its InChIKey.

    Args:
        table: The molecules, with columns smiles, id, name and sources.
        destination: Of the file.
        licence: Of the table as a whole.
        fingerprint: Radius and number of bits.
        threads: Processes that standardise structures; None for as many as the scheduler allows.
        tally: Counts the records.
        force: Whether to replace a file.
        display: Progress, in molecules.

    Raises:
        DataError: The table cannot be read, or has no molecule.
    """
    if not 0 < fingerprint[1] <= MOST_BITS:
        raise DataError(f"fingerprints of {fingerprint[1]} bits cannot be packed, only of up to {MOST_BITS}")
    sources = _sources(table)
    tally, display = tally or Tally(noun="molecules"), display or SilentProgress()
    molecules: dict[tuple[str, str], tuple[Molecule, list[int]]] = {}
    with _opened(table) as stream:
        for molecule, counts in read_counted(stream, fingerprint=fingerprint, threads=threads):
            display.advance()
            if tally.count(molecule) and isinstance(molecule, Molecule):
                key = (molecule.inchikey14, molecule.formula)
                molecules.setdefault(key, (molecule, sorted(counts or {})))
    tally.n_written = len(molecules)
    tally.require_usable(table)
    kept = sorted(molecules.values(), key=lambda pair: (pair[0].exact_mass, pair[0].inchikey14))
    columns = {name: [str(getattr(molecule, name)) for molecule, _ in kept] for name in TEXTS if name != "sources"}
    columns["id"] = ["" if molecule.id == f"record={molecule.record}" else molecule.id for molecule, _ in kept]
    columns["sources"] = [sources[molecule.record - 1] for molecule, _ in kept]
    write_library(
        MoleculeColumns(np.array([molecule.exact_mass for molecule, _ in kept]), columns),
        _table_of([bits for _, bits in kept]),
        destination, fingerprint=fingerprint, licence=licence, rdkit=importlib.metadata.version("rdkit"), force=force,
    )  # fmt: skip


def _table_of(rows: list[list[int]]) -> Bits:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    return offsets, np.array([bit for row in rows for bit in row], np.int32)


@contextlib.contextmanager
def _opened(table: Path) -> Iterator[BinaryIO]:
    with open(table, "rb") as file:
        is_xz = file.read(len(_XZ)) == _XZ
    if is_xz:
        with lzma.open(table) as unpacked:
            yield cast("BinaryIO", unpacked)
        return
    with open_input(table) as stream:
        yield cast("BinaryIO", stream)


def _sources(table: Path) -> list[str]:
    """The cells of the column `sources`, '' for each record where there is none."""
    with _opened(table) as stream:
        header, *rows = [line.decode().rstrip("\r\n").split("\t") for line in stream]
    if "sources" not in header:
        return [""] * len(rows)
    position = header.index("sources")
    return [row[position] if len(row) > position else "" for row in rows]
