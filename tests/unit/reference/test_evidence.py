import numpy as np
import pytest
from builders import spectrum

from specbridge_tools.errors import UsageError
from specbridge_tools.reference.evidence import ANALOG, SAME_MOLECULE
from specbridge_tools.reference.reference import Reference

PHENACETIN, PARACETAMOL, BENZOIC, NONE = "CPJSUEIXXCENMM", "RZVAJINKPMORJF", "WPYMKLBDIGXBTP", "AAAAAAAAAAAAAA"
SMILES = ["CCOc1ccc(NC(C)=O)cc1", "CC(=O)Nc1ccc(O)cc1", "O=C(O)c1ccccc1", "CCCCOc1ccc(NC(C)=O)cc1"]
KEYS = [PHENACETIN, PARACETAMOL, BENZOIC, NONE]


@pytest.fixture
def reference(build):
    return Reference.open(build())


def evidence(reference, *spectra, **options):
    return reference.match(list(spectra), **options).evidence(KEYS, reference.features(SMILES))


def test_what_speaks_for_each_candidate(reference, query):
    found = evidence(reference, query)
    assert found.kind == ["same_ion", "same_polarity", "", ""]
    assert [reference.texts.accession[row] if row >= 0 else "" for row in found.spectrum] == ["R1", "R3", "", ""]
    same_ion, fragments, losses, _ = (found.column(name) for name in SAME_MOLECULE)
    assert 0.95 < same_ion[0] < 1
    assert same_ion[1:].tolist() == [0, 0, 0]
    assert fragments[0] > 0  # the sodium adduct
    assert losses[0] > 0  # ketene, lost by the sodium adduct too
    assert found.similarity[0] == same_ion[0]
    assert np.isnan(found.similarity[2:]).all()


def test_related_molecules_speak_for_a_candidate_that_was_never_measured(reference, query):
    found = evidence(reference, query)
    molecules = reference.spectra.molecule[found.analog]
    assert [reference.molecules.inchikey14[row] for row in molecules] == [PHENACETIN, PARACETAMOL, *[PHENACETIN] * 2]
    for name in ANALOG:
        values = found.column(name)
        assert values[0] > values[3] > values[2], name
    assert found.analog_score.tolist() == found.column("analog_max").tolist()


def test_analog_means_are_weighted_by_powers_of_the_similarity(reference, query):
    matches = reference.match([query])
    features = reference.features(SMILES)
    (analogs,) = matches.analogs
    bits, vectors = reference.analog_features(analogs.molecules)
    candidate = features.bits[3].toarray()[0] > 0
    tanimoto = np.array([(candidate & (b > 0)).sum() / (candidate | (b > 0)).sum() for b in bits])
    found = matches.evidence(KEYS, features)
    for power, name in ((1, "analog_mean1"), (2, "analog_mean2"), (4, "analog_mean4")):
        weights = analogs.similarity**power
        assert found.column(name)[3] == pytest.approx((weights * tanimoto).sum() / weights.sum(), abs=1e-12)
    mean = (analogs.similarity[:, None] ** 4 * vectors).sum(axis=0)
    assert found.column("analog_cosine")[3] == pytest.approx(
        features.vectors[3] @ mean / np.linalg.norm(mean), abs=1e-6
    )


def test_a_candidate_has_the_same_evidence_alone_and_among_others(reference, query):
    together, matches = evidence(reference, query), reference.match([query])
    for row in range(len(KEYS)):
        alone = matches.evidence([KEYS[row]], reference.features([SMILES[row]]))
        assert alone.values[0].tolist() == together.values[row].tolist()


def test_an_accession_or_a_molecule_is_left_out(reference, query):
    itself = spectrum([(110.06, 9), (138.09, 5), (180.10, 2)], 180.1019, id="R1", polarity=1, smiles=SMILES[0])
    assert evidence(reference, itself).column("same_ion")[0] == pytest.approx(1)
    left = evidence(reference, itself, leave_out="accession")
    assert left.column("same_ion")[0] == 0
    assert left.column("same_polarity_fragments")[0] > 0
    left = evidence(reference, itself, leave_out="molecule")
    assert left.values[0, :4].tolist() == [0] * 4
    assert left.column("analog_mean4")[0] > 0  # paracetamol
    nameless = spectrum([(110.06, 9)], 180.1019, id="Q", polarity=1)
    assert (
        evidence(reference, nameless, leave_out="molecule").values.tolist()
        == evidence(reference, nameless).values.tolist()
    )
    with pytest.raises(UsageError, match="nothing is left out by"):
        reference.match([query], leave_out="formula")


def test_relatives_are_left_out_with_the_molecule(reference, query):
    # methacetin, which the reference lacks: phenacetin is as similar as 0.63, paracetamol less than 0.6
    values = {"precursor": 166.0863, "polarity": 1, "smiles": "COc1ccc(NC(C)=O)cc1"}
    methacetin = spectrum([(110.06, 9), (138.09, 5), (166.08, 2)], values.pop("precursor"), **values)
    assert evidence(reference, methacetin).values.tolist() == (
        evidence(reference, methacetin, leave_out="molecule").values.tolist()
    )
    left = reference.match([methacetin], leave_out="relatives")
    names = [reference.molecules.inchikey14[row] for row in left.analogs[0].molecules]
    assert PHENACETIN not in names
    assert PARACETAMOL in names
    nameless = spectrum([(110.06, 9)], 180.1019, id="Q", polarity=1)
    assert evidence(reference, nameless, leave_out="relatives").values.tolist() == (
        evidence(reference, nameless).values.tolist()
    )


def test_the_spectra_of_the_own_contributor_are_left_out(reference):
    values = {"id": "R1", "polarity": 1, "smiles": SMILES[0]}
    peaks = [(110.06, 9), (138.09, 5), (180.10, 2)]
    # the reference names no contributor, and nor does this spectrum
    same = evidence(reference, spectrum(peaks, 180.1019, **values), leave_out="contributor")
    assert same.values[0, :4].tolist() == [0] * 4
    other = spectrum(peaks, 180.1019, **values, contributor="elsewhere")
    left, without = (evidence(reference, other, leave_out=by) for by in ("contributor", "accession"))
    assert left.values.tolist() == without.values.tolist()


def test_spectra_of_a_group_count_together(reference, query):
    negative = spectrum([(107.04, 9), (108.04, 3)], 150.0561, charge=-1, polarity=-1)
    both, first, second = (evidence(reference, *each) for each in ([query, negative], [query], [negative]))
    assert both.values[:, :4].tolist() == np.maximum(first.values, second.values)[:, :4].tolist()


def test_what_the_spectra_of_a_group_say_of_analogs_is_averaged(reference, query):
    other = spectrum([(110.06, 9), (65.04, 5)], 152.0706, polarity=1)
    both, first, second = (evidence(reference, *each) for each in ([query, other], [query], [other]))
    assert both.values[:, 4:] == pytest.approx((first.values + second.values)[:, 4:] / 2, abs=1e-12)
    assert (first.values[:, 4] != second.values[:, 4]).all()
    assert both.analog_score.tolist() == both.column("analog_max").tolist()
    # of which spectrum more was made
    higher = np.where(first.analog_score >= second.analog_score, first.analog, second.analog)
    assert both.analog.tolist() == higher.tolist()
    nothing = spectrum([(400.0, 1)], 500.0, polarity=1)
    assert evidence(reference, query, nothing).analog_score == pytest.approx(first.analog_score / 2)


def test_a_query_like_nothing_has_no_evidence(reference):
    found = evidence(reference, spectrum([(400.0, 1)], 500.0, polarity=1))
    assert found.values.tolist() == [[0] * 9] * 4
    assert found.analog.tolist() == [-1] * 4
    assert np.isnan(found.analog_score).all()


def test_no_candidates_are_no_reason_to_fail(reference, query):
    found = reference.match([query]).evidence([], reference.features([]))
    assert found.values.shape == (0, 9)
