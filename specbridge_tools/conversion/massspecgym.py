"""MassSpecGym's files -> an MGF for each fold, and the candidate lists that they name.

The lists stand in `candidates.tsv`: columns `list_id` and `smiles`, structures spelled as they are published, so that
`sb-evaluate --audit` can find out what their spelling reveals. A spectrum names its list in the field CANDIDATES; the
list's name is a running number, which says nothing about the truth.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from specbridge_tools.conversion.json_lists import read_json_lists
from specbridge_tools.conversion.massspecgym_spectra import read_massspecgym
from specbridge_tools.molecules.identity import structure_key_of
from specbridge_tools.parts.outputs import PartOutputs, part_outputs
from specbridge_tools.records import Rejection, Tally
from specbridge_tools.search.candidates.list_file import LIST_FIELD
from specbridge_tools.spectra.mgf import mgf_text
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.streams import seekable_input

if TYPE_CHECKING:
    import os

NO_FOLD = "no fold"
_FOLD = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclasses.dataclass(frozen=True)
class Converted:
    """What was written.

    Attributes:
        folds: How many spectra the file of each fold has.
        n_lists: Lists.
        n_candidates: Rows of all lists.
        n_without_list: Spectra that have no list.
    """

    folds: dict[str, int]
    n_lists: int
    n_candidates: int
    n_without_list: int

    def summary(self) -> str:
        """For the closing line."""
        return f"{self.n_lists} lists, {self.n_candidates} candidates, {self.n_without_list} spectra without a list"


def convert_massspecgym(
    spectra: str | os.PathLike[str],
    candidates: str | os.PathLike[str] | None,
    folder: str | os.PathLike[str],
    *,
    tally: Tally,
    force: bool = False,
) -> Converted:
    """Convert the benchmark's files.

    A list belongs to the spectra whose `smiles` is its name, letter by letter, or where there is no such list, to those
    of the same molecule (first InChIKey block).

    Args:
        spectra: TSV, a path or `-`.
        candidates: JSON of SMILES -> list of SMILES, a path or `-`; None for no lists.
        folder: Gets the files.
        tally: Counts the spectra.
        force: Replace files that exist.
    """
    with contextlib.ExitStack() as stack:
        table = stack.enter_context(seekable_input(spectra))
        lists = None if candidates is None else stack.enter_context(seekable_input(candidates))
        prefix = f"{str(folder).rstrip('/') or ''}/"
        tables = stack.enter_context(part_outputs(prefix, "tsv", force=force))
        mgfs = stack.enter_context(part_outputs(prefix, "mgf", force=force))
        names: dict[str, str] = {}
        n_candidates = 0
        if lists is not None:
            with tables.open("candidates") as stream:
                names, n_candidates = _write_lists(lists, _smiles_of(table), stream)
        folds, n_without = _write_folds(table, spectra, names, mgfs, tally)
    return Converted(folds, len(set(names.values())), n_candidates, n_without)


def _smiles_of(table: Path) -> set[str]:
    spectra = (record for record in read_massspecgym(table) if isinstance(record, Spectrum))
    return {spectrum.metadata.get("smiles", "") for spectrum in spectra} - {""}


def _write_lists(path: Path, wanted: set[str], stream: TextIO) -> tuple[dict[str, str], int]:
    """-> (SMILES of a spectrum -> name of its list, number of rows)."""
    stream.write("list_id\tsmiles\n")
    names: dict[str, str] = {}
    n_rows = 0
    for number, (key, members) in enumerate(read_json_lists(path), start=1):
        if key in wanted and key not in names:
            names[key] = str(number)
            n_rows += _write_list(names[key], members, stream)
    missing = wanted - names.keys()
    if not missing:
        return names, n_rows
    by_molecule: dict[str | None, list[str]] = {}
    for smiles in missing:
        by_molecule.setdefault(structure_key_of(smiles), []).append(smiles)
    by_molecule.pop(None, None)
    for number, (key, members) in enumerate(read_json_lists(path), start=1):
        if key in names or not by_molecule:
            continue
        spellings = by_molecule.pop(structure_key_of(key), None)
        if spellings:
            names.update(dict.fromkeys(spellings, str(number)))
            n_rows += _write_list(str(number), members, stream)
    return names, n_rows


def _write_list(name: str, members: list[str], stream: TextIO) -> int:
    stream.writelines(f"{name}\t{' '.join(smiles.split())}\n" for smiles in members)
    return len(members)


def _write_folds(
    path: Path, source: str | os.PathLike[str], names: Mapping[str, str], mgfs: PartOutputs, tally: Tally
) -> tuple[dict[str, int], int]:
    """-> (fold -> number of spectra, number of spectra without a list)."""
    counts: dict[str, int] = {}
    streams: dict[str, TextIO] = {}
    n_without = 0
    with contextlib.ExitStack() as stack:
        for record in read_massspecgym(path):
            fold = "" if isinstance(record, Rejection) else record.metadata.get("fold", "")
            if isinstance(record, Spectrum) and not _FOLD.fullmatch(fold):
                record = Rejection(NO_FOLD, record.id, record.record, record.line, str(source), fold)
            if not tally.count(record) or isinstance(record, Rejection):
                continue
            if fold not in streams:
                streams[fold] = stack.enter_context(mgfs.open(fold))
            name = names.get(record.metadata.get("smiles", ""))
            n_without += name is None
            listed = {} if name is None else {LIST_FIELD: name}
            streams[fold].write(mgf_text(dataclasses.replace(record, metadata={**record.metadata, **listed})))
            counts[fold] = counts.get(fold, 0) + 1
            tally.n_written += 1
    return counts, n_without
