import dataclasses
import json

import numpy as np
import pytest
from builders import spectrum

from specbridge_tools.hits.table import QueryRows, parse_hits
from specbridge_tools.report.live_data import MOST_PEAKS, polarity, query_data
from specbridge_tools.report.markup import data_element
from specbridge_tools.report.spectra import error_ppm, explanations

COLUMNS = ("query_id", "rank", "score", "probability", "inchikey14", "smiles", "formula", "adduct", "id", "reason")
PARACETAMOL = "CC(=O)Nc1ccc(O)cc1"
PEAKS = [(43.0178, 6.0), (93.0335, 12.0), (110.0600, 100.0), (152.0706, 40.0)]


def hits(*candidates, reason="", **spectra):
    rows = [("q", rank, 1 / rank, 0.5, key, smiles, "C8H9NO2", "[M+H]+", "M", "") for rank, (key, smiles) in candidates]
    rows = [tuple(map(str, row)) for row in rows] or [("q", *[""] * (len(COLUMNS) - 2), reason)]
    return dataclasses.replace(parse_hits(QueryRows(COLUMNS, rows)), **spectra)


def data(found, explained=(), *, top=5, truth=""):
    explained = explained or [[] for _ in found.spectra]
    values = query_data(found, explained, None, top=top, truth=truth, verdict="")
    return json.loads(data_element("x", values).split("'")[1])


def test_a_query_without_a_candidate():
    values = data(hits(reason="no peaks"))
    assert (values["candidates"], values["reason"], values["level"], values["polarity"]) == ([], "no peaks", "5", "")


def test_explained_peaks_name_their_peak_and_atoms(ranker):
    found = hits((1, ("A", PARACETAMOL)), spectra=(spectrum(PEAKS, precursor_mz=152.0706, adduct="[M+H]+"),))
    explained = explanations(found, ranker, top=5)
    (shown,) = data(found, explained)["spectra"]
    assert shown["mz"] == [mz for mz, _ in PEAKS]
    assert shown["height"] == [60, 120, 1000, 400]
    assert (shown["n"], shown["seen"]) == (4, 4)
    (of_first,) = shown["explained"]
    assert [place for place, *_ in of_first] == [0, 1, 2, 3]
    for (_, formula, ppm, atoms, smiles, *_), peak in zip(of_first, explained[0][0], strict=True):
        assert (formula, smiles) == (peak.fragment_formula, peak.fragment_smiles)
        assert tuple(atom for atom in range(20) if int(atoms, 16) >> atom & 1) == peak.atoms
        assert ppm == pytest.approx(error_ppm(peak), abs=0.01)
        assert abs(ppm) < 5
    assert of_first[0][1] == "C2H3O+"
    assert int(of_first[3][3], 16) == 2**11 - 1  # the whole molecule


def test_all_shown_candidates_are_explained(ranker):
    found = hits(
        (1, ("A", PARACETAMOL)), (2, ("B", "COC(=O)c1ccccc1N")), (3, ("C", "C")),
        spectra=(spectrum(PEAKS, precursor_mz=152.0706, adduct="[M+H]+"),),
    )  # fmt: skip
    (of_spectrum,) = explanations(found, ranker, top=2)
    assert len(of_spectrum) == 2
    assert explanations(found, None, top=2) == [[]]
    assert data(found)["spectra"][0]["explained"] is None


def test_the_highest_of_many_peaks_are_kept_and_those_that_are_explained(ranker):
    low = (43.0178, 0.001)
    many = [low, *((200 + 0.1 * i, 1.0 + i) for i in range(MOST_PEAKS + 40))]
    found = hits((1, ("A", PARACETAMOL)), spectra=(spectrum(many, precursor_mz=152.0706, adduct="[M+H]+"),))
    (shown,) = data(found, explanations(found, ranker, top=1))["spectra"]
    assert len(shown["mz"]) == MOST_PEAKS + 1
    assert shown["mz"][0] == 43.0178
    assert shown["mz"][1] == pytest.approx(204)
    assert [shown["mz"][place] for place, *_ in shown["explained"][0]] == [43.0178]
    assert shown["n"] == len(many)


def test_atoms_have_places_and_giants_have_none():
    (small, giant) = data(hits((1, ("A", "CCO")), (2, ("B", "C" * 251))), truth="B")["candidates"]
    assert np.shape(small["atoms"]) == (6,)
    assert small["bonds"] == [0, 1, 1, 2]
    assert "atoms" not in giant
    assert (small["true"], giant["true"]) == (False, True)
    assert len(data(hits((1, ("A", "CCO")), (2, ("B", "CCC"))), top=1)["candidates"]) == 1


@pytest.mark.parametrize(
    ("adduct", "charge", "sign"),
    [("[M+H]+", 0, "+"), ("[M-2H]2-", 1, "-"), ("", -1, "-"), ("", 2, "+"), ("", 0, ""), ("unknown", 0, "")],
)
def test_polarity(adduct, charge, sign):
    row = ("q", "1", "1", "0.5", "A", "CCO", "", adduct, "", "")
    found = parse_hits(QueryRows(COLUMNS, [row]))
    measured = spectrum(PEAKS, precursor_mz=152.07)
    assert (
        polarity(dataclasses.replace(found, spectra=(dataclasses.replace(measured, charge=charge, polarity=0),)))
        == sign
    )
