"""What a search goes through: an index, candidate lists in one, candidate lists alone, or the library that ships."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.library.store import Making, library_index
from specbridge_tools.records import Tally
from specbridge_tools.search.candidates.list_file import LIST_FIELD, WantedLists, read_candidate_table
from specbridge_tools.search.candidates.lists import CandidateLists, index_of_lists, lists_in_index
from specbridge_tools.search.index.reader import Index, open_index
from specbridge_tools.search.multi_index import MultiIndex, opened_together
from specbridge_tools.search.queries.source import QuerySource
from specbridge_tools.spectra.spectrum import Spectrum

if TYPE_CHECKING:
    from specbridge_tools.bridge.model import AlignedModel

Path: TypeAlias = "str | os.PathLike[str]"
Paths: TypeAlias = "Path | Sequence[Path]"


def index_files(sources: Paths) -> list[Path]:
    """Paths of index files and of folders of some -> the paths of index files, those of a folder by their names."""
    sources = [sources] if isinstance(sources, (str, os.PathLike)) else sources
    files: list[Path] = []
    for source in sources:
        inside = sorted(pathlib.Path(source).glob("*.h5")) if pathlib.Path(source).is_dir() else [source]
        if not inside:
            raise DataError("Is a directory without an index (*.h5)", where=source)
        files += inside
    return files


@contextlib.contextmanager
def open_molecules(
    index: Paths | Index | MultiIndex | None,
    candidates: Path | None = None,
    *,
    wanted: WantedLists | None = None,
    model: AlignedModel | str | os.PathLike[str] | None = None,
    tally: Tally | None = None,
    encoder: str | None = None,
    device: str = "auto",
    batch_size: int = 64,
    threads: int = 1,
    quiet: bool = False,
    counts: Sequence[str] = (),
) -> Iterator[tuple[Index | MultiIndex, CandidateLists | None]]:
    """Yield (open index, its candidate lists or None).

    Args:
        index: Index files, folders of some, or an open index. None without `candidates`: that of the library that
            ships, for `model`.
        candidates: A table of candidate lists, or None. Without an index they are encoded now, by the molecular encoder
            of `model`.
        wanted: See `read_candidate_table`.
        model: Whose molecular encoder encodes lists without an index, which needs a loaded one, and the library.
        tally: Of the structures of the lists.
        encoder: What makes that encoder, where the model's name for it does not say where its files are.
        device: Of that encoder.
        batch_size: Of that encoder.
        threads: For standardising structures.
        counts: Columns of the table of lists to carry along, where the lists are encoded now.
        quiet: Whether no progress is shown of the library's index, where that is built.

    Raises:
        DataError: Where there is no list for any of the spectra.
    """
    if candidates is None:
        if isinstance(index, (Index, MultiIndex)):
            yield index, None
            return
        if index is None:
            index = library_index(model, making=Making(encoder, device, batch_size, threads, quiet))
        with opened_together([open_index(path) for path in index_files(index)]) as opened:
            yield opened, None
        return
    tally = tally or Tally(noun="candidate structures")
    table = read_candidate_table(candidates, wanted=wanted, counts=() if index is not None else counts)
    if not table.lists:
        advice = "query_id must be the ids of the spectra (or of their groups), list_id their field CANDIDATES"
        raise DataError(f"no {table.key} is that of a spectrum", where=table.name, advice=advice)
    if index is None:
        if model is None or isinstance(model, (str, os.PathLike)):
            raise UsageError("candidate lists without an index need a model, whose encoder encodes them")
        with index_of_lists(
            table, model, encoder=encoder, tally=tally, threads=threads, device=device, batch_size=batch_size
        ) as made:
            yield made
        return
    with open_molecules(index) as (opened, _):
        if isinstance(opened, MultiIndex):
            raise UsageError("lists are ranked in one index", advice="merge the indexes with sb-merge")
        yield opened, lists_in_index(table, opened, tally=tally, threads=threads)


def wanted_lists(source: QuerySource, group_field: str | None) -> WantedLists:
    """What `read_candidate_table` asks: which lists the spectra name.

    All of them (None) for embeddings, and where no spectrum can be used.
    """

    def wanted(key: str) -> set[str] | None:
        if source.holds_embeddings:
            if key == "list_id":
                advice = "give the spectra, or a table with query_id"
                raise UsageError(f"spectrum embeddings hold no field {LIST_FIELD}", advice=advice)
            return None
        field = LIST_FIELD if key == "list_id" else group_field

        # tuples, so that a spectrum without a value is counted as well
        def name_of(spectrum: Spectrum) -> tuple[str]:
            return (spectrum.id if field is None else spectrum.metadata.get(field, ""),)

        names = source.count_values(name_of)
        # a file without a usable spectrum asks for nothing, and is no reason to complain about the table
        return {name for (name,) in names if name} if names else None

    return wanted
