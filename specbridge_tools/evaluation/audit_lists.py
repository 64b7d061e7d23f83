"""The lists that were ranked, with their structures as their source writes them: for an audit."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from specbridge_tools.errors import DataError
from specbridge_tools.evaluation.audit import AuditList
from specbridge_tools.evaluation.candidates import CandidateList
from specbridge_tools.evaluation.truth import Truth
from specbridge_tools.molecules.pool import first_of_others, standard_forms
from specbridge_tools.molecules.raw import structure_kind
from specbridge_tools.molecules.reader import read_raw
from specbridge_tools.records import Rejection
from specbridge_tools.search.candidates.list_file import is_candidate_table, read_candidate_table

# (structure as given, canonical SMILES, InChIKey block)
Spelled: TypeAlias = tuple[str, str, str]


def read_audit_lists(
    path: str | os.PathLike[str], lists: Sequence[CandidateList], keys: Sequence[str], *, threads: int = 1
) -> list[AuditList]:
    """One list for each molecule, that of the first query whose list holds it.

    Structures that cannot be read are left out, as the search left them out.

    Args:
        path: The candidate table of sb-query --candidates, or else the molecules that were embedded, in any format: the
            lists are then those of the hits, where they are complete.
        lists: Of the hits.
        keys: InChIKey block of each number in them.
        threads: Processes that read structures.

    Raises:
        DataError: Where no list is found.
    """
    if is_candidate_table(path):
        audit_lists = _of_table(path, [candidates.truth for candidates in lists], threads)
    else:
        audit_lists = _of_molecules(path, lists, keys, threads)
    if not audit_lists:
        raise DataError(
            "holds no complete list with its truth",
            where=path,
            advice="give what was searched: the table of --candidates, or the molecules of the index with --top 0",
        )
    return audit_lists


def _of_table(path: str | os.PathLike[str], truths: Sequence[Truth], threads: int) -> list[AuditList]:
    def wanted(key: str) -> set[str]:
        return {_list_name(truth, key) for truth in truths}

    table = read_candidate_table(path, wanted=wanted)
    spelled = _spelled(((text, structure_kind(text)) for text in table.spelled), threads)
    for number, others in table.others.items():
        if spelled[number] is None:
            text, form = first_of_others("", others)
            spelled[number] = None if isinstance(form, str) else (text, form.smiles, form.inchikey14)
    audit_lists: dict[str, AuditList] = {}
    for truth in truths:
        if truth.inchikey14 not in audit_lists:
            numbers = table.lists.get(_list_name(truth, table.key), ())
            members = [structure for i in numbers if (structure := spelled[i]) is not None]
            _add(audit_lists, truth.inchikey14, members)
    return list(audit_lists.values())


def _list_name(truth: Truth, key: str) -> str:
    return truth.list_id if key == "list_id" else truth.query_id


def _of_molecules(
    path: str | os.PathLike[str], lists: Sequence[CandidateList], keys: Sequence[str], threads: int
) -> list[AuditList]:
    wanted = {keys[number] for candidates in lists for number in candidates.molecule}
    records = [record for record in read_raw(path) if not isinstance(record, Rejection)]
    structures = ((record.text, record.kind) for record in records)
    spelled_of: dict[str, list[Spelled]] = {}
    for record, spelled in zip(records, _spelled(structures, threads), strict=True):
        if spelled is not None and spelled[2] in wanted and record.kind != "mol":
            spelled_of.setdefault(spelled[2], []).append(spelled)
    audit_lists: dict[str, AuditList] = {}
    for candidates in lists:
        molecule = candidates.truth.inchikey14
        if candidates.truth_at >= 0 and not candidates.is_cut and molecule not in audit_lists:
            members = [spelled for number in candidates.molecule for spelled in spelled_of.get(keys[number], ())]
            _add(audit_lists, molecule, members)
    return list(audit_lists.values())


def _spelled(structures: Iterable[tuple[str, str]], threads: int) -> list[Spelled | None]:
    """Each (text, kind), None where it cannot be read."""
    structures = list(structures)
    forms = standard_forms(structures, threads=threads)
    return [
        None if isinstance(form, str) else (text, form[0], form[1])
        for (text, _), form in zip(structures, forms, strict=True)
    ]


def _add(audit_lists: dict[str, AuditList], molecule: str, members: Iterable[Spelled]) -> None:
    """Add the list of these members, if it holds the molecule."""
    as_given: dict[str, list[str]] = {}
    canonical: dict[str, str] = {}
    for text, smiles, key in members:
        as_given.setdefault(key, []).append(text)
        canonical.setdefault(key, smiles)
    if molecule in as_given:
        truth_at = list(as_given).index(molecule)
        audit_lists[molecule] = AuditList(molecule, list(as_given.values()), list(canonical.values()), truth_at)
