"""The lists that were ranked, with their structures as they were given: for an audit."""

from specbridge_tools.errors import DataError
from specbridge_tools.evaluation.audit import SpelledList
from specbridge_tools.molecules.pool import standard_forms
from specbridge_tools.molecules.raw import structure_kind
from specbridge_tools.molecules.reader import read_raw
from specbridge_tools.records import Rejection
from specbridge_tools.search.candidates.list_file import is_candidate_table, read_candidate_table


def lists_as_spelled(path, lists, keys, *, threads=1):
    """One `SpelledList` for each molecule, from the first query whose list holds it.

    path   the candidate table of sb-query --candidates, or else the molecules that were embedded, in any format: the
           lists are then those of the hits, as far as they are whole
    lists  `CandidateList`s; keys: InChIKey block of each number in them

    Structures that cannot be read are left out, as the search left them out. Raises `DataError` where no list is found.
    """
    found = _of_table(path, lists, threads) if is_candidate_table(path) else _of_molecules(path, lists, keys, threads)
    if not found:
        advice = "give what was searched: the table of --candidates, or the molecules of the index with --top 0"
        raise DataError("holds no whole list with its truth", where=path, advice=advice)
    return found


def _of_table(path, lists, threads):
    def wanted(key):
        return {_list_name(each.truth, key) for each in lists}

    table = read_candidate_table(path, wanted=wanted)
    forms = _forms(table.spelled, threads)
    found = {}
    for truth in (each.truth for each in lists):
        numbers = table.lists.get(_list_name(truth, table.key), ())
        if truth.inchikey14 not in found:
            members = [(table.spelled[i], forms[i]) for i in numbers if forms[i] is not None]
            _add(found, truth.inchikey14, members)
    return list(found.values())


def _list_name(truth, key):
    return truth.list_id if key == "list_id" else truth.query_id


def _of_molecules(path, lists, keys, threads):
    wanted = {keys[number] for each in lists for number in each.molecule}
    records = [record for record in read_raw(path) if not isinstance(record, Rejection)]
    structures = ((record.text, record.kind) for record in records)
    spelled = {}
    for record, form in zip(records, standard_forms(structures, threads=threads), strict=True):
        if not isinstance(form, str) and form[1] in wanted and record.kind != "mol":
            spelled.setdefault(form[1], []).append((record.text, (form[0], form[1])))
    found = {}
    for each in lists:
        if each.truth_at >= 0 and not each.is_cut and each.truth.inchikey14 not in found:
            members = [member for number in each.molecule for member in spelled.get(keys[number], ())]
            _add(found, each.truth.inchikey14, members)
    return list(found.values())


def _forms(texts, threads):
    """(canonical SMILES, InChIKey block) of each structure, None where it cannot be read."""
    structures = ((text, structure_kind(text)) for text in texts)
    return [
        None if isinstance(form, str) else (form[0], form[1]) for form in standard_forms(structures, threads=threads)
    ]


def _add(found, molecule, members):
    """Add the list of (string, (canonical SMILES, InChIKey block)) members, if it holds the molecule."""
    spelled, canonical = {}, {}
    for text, (smiles, key) in members:
        spelled.setdefault(key, []).append(text)
        canonical.setdefault(key, smiles)
    if molecule in spelled:
        truth_at = list(spelled).index(molecule)
        found[molecule] = SpelledList(molecule, list(spelled.values()), list(canonical.values()), truth_at)
