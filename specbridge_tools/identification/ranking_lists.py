"""Candidate lists of spectra of known molecules, with all evidence, for the training of a ranking."""

from __future__ import annotations

import collections
import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from specbridge_tools.errors import MismatchError
from specbridge_tools.hits.hits import Hits, reranked_columns
from specbridge_tools.identification.identify import identify
from specbridge_tools.identification.ranked import evidence_of
from specbridge_tools.identification.references import NO_REFERENCE, References, encoder_of_model, open_referee
from specbridge_tools.library.packed import read_columns
from specbridge_tools.library.store import library_facts
from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.progress import SilentProgress
from specbridge_tools.ranking.evidence import REFERENCE
from specbridge_tools.ranking.training.lists import LabelledList
from specbridge_tools.reference.reference import Reference
from specbridge_tools.search.candidates.tolerance import DEFAULT_TOLERANCE, Tolerance
from specbridge_tools.search.search import SearchOptions
from specbridge_tools.spectra.spectrum import Spectrum

GROUP_FIELD = "compound_ion"
Path = str | os.PathLike[str]


@dataclasses.dataclass(frozen=True)
class ListOptions:
    """Which lists are made.

    Attributes:
        each: Spectra of one molecule and adduct, at most; they are also answered together, as a group.
        tolerance: Of the neutral mass.
        references: Files of reference spectra, as `References` takes them.
        encoder: Their molecular encoder, as `open_referee` takes it.
    """

    each: int = 4
    tolerance: Tolerance = DEFAULT_TOLERANCE
    references: Sequence[str] = ()
    encoder: str | None = None


def few_of_each(spectra: Iterable[Spectrum], *, each: int) -> Iterator[Spectrum]:
    """Yield the first `each` spectra of every molecule and adduct, named by the field `GROUP_FIELD`."""
    seen: collections.Counter[str] = collections.Counter()
    for spectrum in spectra:
        name = f"{structure_key(spectrum)} {spectrum.adduct}"
        seen[name] += 1
        if seen[name] <= each:
            yield dataclasses.replace(spectrum, metadata={**spectrum.metadata, GROUP_FIELD: name})


def labelled_lists(
    spectra: Sequence[Spectrum],
    options: ListOptions,
    *,
    model: Path | None,
    display: SilentProgress | None = None,
    **settings: Any,
) -> Iterator[LabelledList]:
    """Yield the lists of each spectrum that has candidates, then of each group of several spectra.

    Each list stands there up to four times: with all reference spectra of the query's own molecule and of similar ones
    left out, and, where other contributors measured it, with those of the query's contributor left out alone; and both
    again as far as the candidates are in the library that ships, among which more have reference spectra. Similar
    molecules are left out since the networks did not see them either: where they stay, the evidence of analogs looks
    stronger than it is for a molecule that nobody has measured anything like.

    Args:
        spectra: Of `few_of_each`.
        options: Which lists are made.
        model: A model file, None for the model that ships.
        display: Advances by one for each query.
        settings: Of `identify`: index, device, batch_size, threads.

    Raises:
        MismatchError: Where no reference spectra belong to the model.
    """
    references = References(options.references)
    referee = open_referee(references, encoder_sha256=encoder_of_model(model), encoder=options.encoder)
    if referee is None:
        raise MismatchError("no reference spectra belong to the model", where=model, advice="give some, --reference")
    listed = set(read_columns(library_facts()).texts["inchikey14"])
    settings |= {"model": model, "references": References((NO_REFERENCE,))}
    fragments: dict[str, _Fragments] = collections.defaultdict(_Fragments)
    with identify(spectra, options=SearchOptions(top=0, tolerance=options.tolerance), **settings) as identified:
        for hits in identified:
            if len(hits):
                fragments[hits.spectra[0].metadata[GROUP_FIELD]].add(hits)
                yield from _lists_of(hits, referee.reference, listed)
            if display is not None:
                display.advance(1)
    members: dict[str, list[Spectrum]] = collections.defaultdict(list)
    for spectrum in spectra:
        members[spectrum.metadata[GROUP_FIELD]].append(spectrum)
    grouped = [spectrum for spectrum in spectra if len(members[spectrum.metadata[GROUP_FIELD]]) > 1]
    search = SearchOptions(top=0, tolerance=options.tolerance, group_by=GROUP_FIELD)
    settings.pop("references")
    with identify(grouped, options=search, rerank_first=0, **settings) as identified:
        for hits in identified:
            if len(hits) and hits.query_id in fragments:
                whole = fragments[hits.query_id].of_group(hits, members[hits.query_id])
                yield from _lists_of(whole, referee.reference, listed)


class _Fragments:
    """Of the spectra of a group, what the fragments of each candidate explain."""

    def __init__(self) -> None:
        self._values: dict[str, list[tuple[float, float]]] = collections.defaultdict(list)

    def add(self, hits: Hits) -> None:
        """Take over the values of one spectrum."""
        scores, explained = hits.numbers("fragment_score").tolist(), hits.numbers("explained_intensity").tolist()
        for key, *values in zip(hits.column("inchikey14"), scores, explained, strict=True):
            self._values[key].append((values[0], values[1]))

    def of_group(self, hits: Hits, spectra: Sequence[Spectrum]) -> Hits:
        """The hits of the group, by cosine, with the means of those values: what re-ranking makes of a group."""
        nothing = [(np.nan, np.nan)]
        means = np.array([np.mean(self._values.get(key) or nothing, axis=0) for key in hits.column("inchikey14")])
        own = {"cosine": hits.numbers("score"), "fragment_score": means[:, 0], "explained_intensity": means[:, 1]}
        candidates, columns = {**hits.candidates, **own}, reranked_columns(hits.columns)
        return dataclasses.replace(hits, columns=columns, candidates=candidates, spectra=tuple(spectra))


def _lists_of(hits: Hits, reference: Reference, listed: set[str]) -> Iterator[LabelledList]:
    keys, molecule = hits.column("inchikey14"), str(structure_key(hits.spectra[0]))
    truth = keys.index(molecule) if molecule in keys else -1
    rows = [row for row, key in enumerate(keys) if key in listed]
    features = reference.features(hits.column("smiles"))
    for leave_out in ("relatives", "contributor"):
        is_known = leave_out == "contributor"
        if is_known and not reference.has_own(hits.spectra, leave_out=leave_out):
            return
        found = reference.match(hits.spectra, leave_out=leave_out).evidence(keys, features)
        values = {kind: found.column(kind) for kind in REFERENCE}
        evidence = evidence_of(dataclasses.replace(hits, candidates={**hits.candidates, **values}))
        yield LabelledList(evidence, truth, molecule, is_known)
        if len(rows) < len(keys):
            part = rows.index(truth) if truth in rows else -1
            yield LabelledList(evidence.take(rows), part, molecule, is_known)
