import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from specbridge_tools.errors import DataError, FormatError, MismatchError, SpecbridgeError
from specbridge_tools.fragmentation.fragments.batch import CandidateBatch
from specbridge_tools.fragmentation.fragments.fragmenter import fragment
from specbridge_tools.fragmentation.network.explain import explain
from specbridge_tools.fragmentation.network.numpy_network import encode_candidate, weigh_spectrum
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.ranker_file import add_ranker, find_ranker, load_ranker, save_ranker
from specbridge_tools.fragmentation.network.scores import CandidateScorer, score_candidates
from specbridge_tools.fragmentation.network.torch_network import TrainableNetwork
from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS
from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks
from specbridge_tools.fragmentation.peaks.subformula import explained_peaks
from specbridge_tools.molecules.formula import mass_of_formula
from specbridge_tools.molecules.smiles_graph import molecular_graph
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.weights.tensor_file import read_tensor_file, write_tensor_file

CANDIDATES = ["CC(=O)Nc1ccc(O)cc1", "COC(=O)c1ccccc1N", "C", "C[N+](C)(C)C", "CCO[Si](C)(C)C"]


def paracetamol(adduct="[M+H]+", precursor_mz=152.0706, shift=0.0):
    mz = np.array([65.0386, 92.0495, 93.0335, 110.0600, 134.0600, 152.0706]) + shift
    intensity = np.array([10, 5, 12, 100, 3, 40], np.float32)
    return Spectrum("p", precursor_mz, mz, intensity, adduct=adduct)


def known(ranker, smiles):
    return [ranker.encode(ranker.candidate(text)) for text in smiles]


@pytest.mark.parametrize("adduct", ["[M+H]+", "[M+Na]+", "[M-H]-", "[M+2H]2+"])
def test_numpy_and_torch_are_one_network(ranker, adduct):
    network = TrainableNetwork()
    batch = CandidateBatch([ranker.candidate(smiles) for smiles in CANDIDATES])
    peaks = prepare_peaks(paracetamol(adduct))
    encoded = [encode_candidate(network.weights(), candidate) for candidate in batch.candidates]
    found = weigh_spectrum([network.weights()], batch, [encoded], peaks, explained_peaks(batch.formulas, peaks))
    scores, log_likelihood = network(batch, network.encode_candidates(batch), peaks)
    assert found.score == pytest.approx(scores.detach().numpy(), rel=1e-4, abs=1e-5)
    assert log_likelihood.shape == (len(CANDIDATES), len(peaks.mz))


def test_probabilities_of_all_ions_of_a_candidate_sum_to_one(ranker):
    candidates = known(ranker, CANDIDATES[:2])
    both = CandidateBatch([candidate.arrays for candidate in candidates])
    mz = np.unique(np.concatenate([both.masses + shift * 1.0078250319 for shift in range(-4, 5)]))
    mz = mz[mz > 0.5]
    peaks = prepare_peaks(Spectrum("all", 1000.0, mz, np.ones(len(mz), np.float32), adduct="[M+H]+"))
    (evidence,) = ranker.evidence(candidates, [peaks])
    assert (evidence.predicted.sum(axis=1) <= 1 + 1e-4).all()


def test_a_candidate_scores_the_same_alone_and_among_others(ranker):
    peaks = prepare_peaks(paracetamol())
    together = score_candidates(ranker, [peaks], CANDIDATES).fragment_score
    alone = [score_candidates(ranker, [peaks], [smiles]).fragment_score[0] for smiles in CANDIDATES]
    backwards = score_candidates(ranker, [peaks], CANDIDATES[::-1]).fragment_score[::-1]
    assert together == pytest.approx(np.array(alone), rel=1e-5)
    assert together == pytest.approx(backwards, rel=1e-5)


def test_a_long_list_is_scored_in_parts_with_the_same_result(ranker, monkeypatch):
    smiles = ["not a smiles", "CC.O", *CANDIDATES]
    peaks = [prepare_peaks(paracetamol()), prepare_peaks(paracetamol("[M+Na]+"))]
    whole = score_candidates(ranker, peaks, smiles)
    monkeypatch.setattr("specbridge_tools.fragmentation.network.scores._CANDIDATES_AT_ONCE", 2)
    parts = score_candidates(ranker, peaks, smiles)
    assert np.isnan(whole.fragment_score).tolist() == [True, True, *[False] * len(CANDIDATES)]
    assert parts.fragment_score.tobytes() == whole.fragment_score.tobytes()
    assert parts.explained_intensity.tobytes() == whole.explained_intensity.tobytes()


def test_the_spelling_of_a_smiles_does_not_move_its_score(ranker):
    peaks = prepare_peaks(paracetamol())
    scores = score_candidates(ranker, [peaks], ["CC(=O)Nc1ccc(O)cc1", "Oc1ccc(NC(C)=O)cc1", "C1=CC(O)=CC=C1NC(=O)C"])
    assert scores.fragment_score == pytest.approx(scores.fragment_score[0], rel=1e-5)


def test_the_precursor_within_the_window_does_not_move_the_ranking(ranker):
    smiles = CANDIDATES[:2]
    scores = [
        score_candidates(ranker, [prepare_peaks(paracetamol(precursor_mz=152.0706 * (1 + ppm * 1e-6)))], smiles)
        for ppm in (-9, 0, 9)
    ]
    assert scores[0].fragment_score == pytest.approx(scores[1].fragment_score, rel=1e-4)
    assert scores[2].fragment_score == pytest.approx(scores[1].fragment_score, rel=1e-4)


def test_defined_results_for_what_cannot_be_scored(ranker):
    peaks = prepare_peaks(paracetamol())
    scores = score_candidates(ranker, [peaks], ["not a smiles", "CC.O", "CC(=O)Nc1ccc(O)cc1"])
    assert np.isnan(scores.fragment_score).tolist() == [True, True, False]
    assert score_candidates(ranker, [peaks], []).fragment_score.shape == (0,)
    empty = prepare_peaks(Spectrum("e", 100.0, np.array([500.0]), np.array([1.0]), adduct="[M+H]+"))
    assert score_candidates(ranker, [empty], CANDIDATES).fragment_score.tolist() == [0.0] * len(CANDIDATES)
    fused = ranker.fusion(1).fuse(np.array([0.9, 0.5, 0.4]), np.array([np.nan, -3.0, -1.0]))
    assert fused == pytest.approx([2 * 0.9 - 3, 2 * 0.5 - 3, 2 * 0.4 - 1])


def test_explained_peaks_are_ions_of_the_formula_they_name(ranker):
    explained = explain(ranker, CANDIDATES[0], prepare_peaks(paracetamol()))
    mz = [round(explanation.mz, 4) for explanation in explained]
    assert mz == [65.0386, 92.0495, 93.0335, 110.06, 134.06, 152.0706]
    names = ["C5H5+", "C6H6N+", "C6H5O+", "C6H8NO+", "C8H8NO+", "C8H10NO2+"]
    assert [explanation.fragment_formula for explanation in explained] == names
    for explanation in explained:
        exact = mass_of_formula(explanation.fragment_formula) - 0.000548579909
        assert explanation.ion_mz == pytest.approx(exact, abs=1e-5)
        assert abs(explanation.ion_mz - explanation.mz) < 1.6e-3
        assert 0 < explanation.probability <= 1
    assert explained[-1].cost == 0
    assert explained[-1].n_cuts == 0
    assert explain(ranker, "not a smiles", prepare_peaks(paracetamol())) == []


def test_matches_carry_the_metal_of_the_adduct(ranker):
    spectrum = Spectrum("na", 174.0525, np.array([132.0420, 174.0525]), np.array([1.0, 2.0]), adduct="[M+Na]+")
    (evidence,) = ranker.evidence(known(ranker, CANDIDATES[:1]), [prepare_peaks(spectrum)])
    assert (evidence.matches[evidence.matches[:, 2] == 0, 1] >= N_SHIFTS).any()  # C6H7NONa+, sodium on the aminophenol


@pytest.fixture
def two_networks(ranker):
    changed = {name: value * 1.2 for name, value in ranker.networks[0].items()}
    return Ranker([ranker.networks[0], changed], {**ranker.config, "cosine_weight": 9.0})


def test_a_ranker_survives_its_file(ranker, two_networks, tmp_path):
    path = tmp_path / "ranker.safetensors"
    for saved in (ranker, two_networks):
        save_ranker(saved, path)
        assert_same(load_ranker(path), saved)


def test_several_networks_are_averaged(two_networks):
    peaks = prepare_peaks(paracetamol())
    apart = [Ranker([weights], two_networks.config) for weights in two_networks.networks]
    (first,), (second,) = (single.evidence(known(single, CANDIDATES), [peaks]) for single in apart)
    (both,) = two_networks.evidence(known(two_networks, CANDIDATES), [peaks])
    assert not np.allclose(first.score, second.score)
    assert both.score == pytest.approx((first.score + second.score) / 2)
    assert both.predicted == pytest.approx((first.predicted + second.predicted) / 2)
    mean = (np.exp(first.log_probability) + np.exp(second.log_probability)) / 2
    assert np.exp(both.log_probability) == pytest.approx(mean, rel=1e-5)


def test_candidates_in_batches_score_as_all_at_once(two_networks, monkeypatch):
    peaks = prepare_peaks(paracetamol())
    candidates = known(two_networks, CANDIDATES)
    (at_once,) = two_networks.evidence(candidates, [peaks])
    monkeypatch.setattr("specbridge_tools.fragmentation.network.ranker._CANDIDATES_PER_BATCH", 2)
    (parts,) = two_networks.evidence(candidates, [peaks])
    order, order_of_parts = np.lexsort(at_once.matches.T), np.lexsort(parts.matches.T)
    assert len(at_once.matches) > 10
    assert (at_once.matches[order] == parts.matches[order_of_parts]).all()
    assert parts.log_probability[order_of_parts] == pytest.approx(at_once.log_probability[order], rel=1e-5)
    assert parts.score == pytest.approx(at_once.score, rel=1e-5)
    assert parts.predicted == pytest.approx(at_once.predicted, rel=1e-4, abs=1e-9)
    assert (parts.by_formula == at_once.by_formula).all()


def assert_same(found, ranker):
    assert found.config == ranker.config
    for found_weights, weights in zip(found.networks, ranker.networks, strict=True):
        assert {name: value.tobytes() for name, value in found_weights.items()} == {
            name: np.ascontiguousarray(value, np.float32).tobytes() for name, value in weights.items()
        }


def test_a_probability_too_small_for_a_float_keeps_its_logarithm(ranker):
    bias = ranker.networks[0]["out.bias"] + np.where(np.arange(N_SHIFTS) == N_SHIFTS // 2, 0, -200).astype(np.float32)
    steep = Ranker([{**ranker.networks[0], "out.bias": bias}] * 2, ranker.config)
    (evidence,) = steep.evidence(known(steep, CANDIDATES[:1]), [prepare_peaks(paracetamol())])
    assert evidence.log_probability.min() < -190
    assert np.isfinite(evidence.log_probability).all()


def test_a_ranker_in_a_model_leaves_the_rest_of_it_alone(ranker, two_networks, tmp_path):
    model, both, again = (tmp_path / f"{name}.safetensors" for name in ("model", "both", "again"))
    header = {"format": "specbridge-model", "format_version": 1, "calibration": {"scale": 1.5}}
    save_file({"other": np.arange(3, dtype=np.float16)}, model, metadata={"specbridge": json.dumps(header)})
    assert find_ranker(model) is None
    with pytest.raises(FormatError, match="holds no ranker"):
        load_ranker(model)
    add_ranker(ranker, model, both)
    assert_same(find_ranker(both), ranker)
    add_ranker(two_networks, both, again)
    assert_same(find_ranker(again), two_networks)
    with safe_open(again, framework="numpy") as file:
        assert file.get_tensor("other").dtype == np.float16
        assert file.get_tensor("other").tolist() == [0, 1, 2]
        assert {**json.loads(file.metadata()["specbridge"]), "ranker": None} == {**header, "ranker": None}
    add_ranker(ranker, again, again, force=True)
    assert again.read_bytes() == both.read_bytes()


def test_files_that_hold_no_ranker_are_refused(ranker, tmp_path):
    (tmp_path / "text").write_text("no tensors")
    with pytest.raises(FormatError, match="is no safetensors file"):
        load_ranker(tmp_path / "text")
    with pytest.raises(DataError, match="cannot be read"):
        load_ranker(tmp_path / "absent")
    path, tensors = tmp_path / "model", {f"ranker.0.{name}": value for name, value in ranker.networks[0].items()}
    for stored, config, message in (
        (tensors, {**ranker.config, "format_version": 1}, "specbridge-ranker version 1, this release reads 2"),
        ({"other": np.ones(3)}, ranker.config, "no tensors"),
        (tensors, {k: v for k, v in ranker.config.items() if k != "cosine_weight"}, "ranker without cosine_weight"),
    ):
        save_file(stored, path, metadata={"specbridge": json.dumps({"ranker": config})})
        with pytest.raises(FormatError, match=message):
            load_ranker(path)


@pytest.mark.parametrize("wrong", [{"cosine_weight": float("nan")}, {"calibration": {"scale": 1.0}}])
def test_a_fusion_that_makes_no_sense_is_refused(ranker, wrong):
    with pytest.raises(FormatError, match=r"weights of the fusion|calibration without first"):
        Ranker(ranker.networks, {**ranker.config, **wrong}).fusion(1)


@pytest.mark.slow
def test_a_ranker_goes_to_workers_without_what_it_has_cached(ranker):
    ranker.known.get(CANDIDATES[0])
    tasks = [(number, [([prepare_peaks(paracetamol())], CANDIDATES)]) for number in range(3)]
    results = []
    for threads in (1, 2):
        with CandidateScorer(ranker, threads=threads) as scorer:
            results.append(list(scorer.in_order(tasks)))
    expected, found = results
    assert [key for key, _ in found] == [0, 1, 2]
    for (_, (here,)), (_, (there,)) in zip(expected, found, strict=True):
        assert here.fragment_score.tobytes() == there.fragment_score.tobytes()
        assert here.explained_intensity.tobytes() == there.explained_intensity.tobytes()


def test_several_molecules_are_no_candidate(ranker):
    with pytest.raises(DataError, match="several molecules"):
        ranker.candidate("CC.O")


def test_the_shipped_ranker_prefers_paracetamol():
    shipped = load_ranker()
    smiles = [
        "CC(=O)Nc1ccc(O)cc1",
        "COC(=O)c1ccccc1N",
        "NCC(=O)c1ccc(O)cc1",
        "Cc1ccc([N+](=O)[O-])cc1C",
        "CCOc1ccc(N=O)cc1",
    ]
    scores = score_candidates(shipped, [prepare_peaks(paracetamol())], smiles).fragment_score
    assert np.argmax(scores) == 0


def test_annotated_peaks_of_real_spectra():
    """Real records: fragments of the true molecule explain most of the intensity, and their formulas fit."""
    from pathlib import Path

    from specbridge_tools.spectra.reader import read_spectra

    shipped = load_ranker()
    examples = Path(__file__).parents[4] / "examples" / "spectra.mgf"
    spectra = [record for record in read_spectra(examples) if (record.mz < record.precursor_mz - 1).sum() >= 5]
    spectra = spectra[::6][:24]
    assert len(spectra) >= 20
    shares = []
    for spectrum in spectra:
        peaks = prepare_peaks(spectrum)
        fragments = fragment(molecular_graph(spectrum.metadata["smiles"]))
        explained = explain(shipped, spectrum.metadata["smiles"], peaks)
        for entry in explained:
            assert entry.ion_mz == pytest.approx(entry.mz, abs=max(1.6e-3, entry.mz * 3e-5))
        assert len(fragments) > 10
        shares.append(
            sum(entry.intensity for entry in explained if entry.cost) / peaks.intensity[~peaks.at_precursor].sum()
        )
    assert np.mean(shares) > 0.6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop("ranker.0.cut.bias"), r"1 missing \(ranker.0.cut.bias\)"),
        (lambda tensors: tensors.pop("ranker.0.hidden.bias"), r"1 missing \(ranker.0.hidden.bias\)"),
        (lambda tensors: tensors.update({"ranker.0.more": np.ones(2, "f4")}), r"1 left over \(ranker.0.more\)"),
        (
            lambda tensors: tensors.update({"ranker.x.mass.bias": np.ones(48, "f4")}),
            r"over \(ranker.x.mass.bias\)",
        ),
        (
            lambda tensors: tensors.update({"ranker.0.atom2.weight": np.ones((3, 4), "f4")}),
            r"1 of another shape \(ranker.0.atom2.weight 3 x 4, expected \d+ x \d+\)",
        ),
        (lambda tensors: tensors.update({"ranker.0.scale": np.ones(3, "f4")}), r"ranker.0.scale 3, expected 1"),
    ],
)
def test_tensors_that_do_not_fit_a_ranker(ranker, tmp_path, change, message):
    path = tmp_path / "ranker.safetensors"
    save_ranker(ranker, path)
    assert len(load_ranker(path).networks) == len(ranker.networks)
    header, tensors = read_tensor_file(path)
    change(tensors)
    write_tensor_file(tensors, header, path)
    with pytest.raises(MismatchError, match=message) as refused:
        load_ranker(path)
    assert refused.value.where == path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"capacity": -5}, "capacity in its header is -5"),
        ({"limit": "28"}, "limit in its header is '28'"),
        ({"cosine_weight": None}, "cosine_weight in its header is None"),
        ({"group": {"cosine_weight": 1.0}}, "its header has no fragment_weight"),
        ({"group": [1]}, "group in the header of its ranker is no object"),
        ({"calibration": {"first": "x"}}, "the calibration in its header is no set of finite numbers"),
        ({"reference": [1]}, "reference in the header of its ranker has no weights"),
        ({"reference": {"calibration": {}}}, "reference in the header of its ranker has no weights"),
        ({"reference": {"weights": {"same_ion": "5"}}}, "the reference weighting in its header is no set"),
        (
            {"group": {"cosine_weight": 1.0, "fragment_weight": 1.0, "reference": {"weights": {}, "calibration": 3}}},
            "the calibration with reference spectra in its header is no set of finite numbers",
        ),
    ],
)
def test_configurations_that_make_no_sense_are_refused(ranker, tmp_path, change, message):
    path = tmp_path / "x.safetensors"
    save_ranker(Ranker(ranker.networks, {**ranker.config, **change}), path)
    with pytest.raises(SpecbridgeError, match=message):
        load_ranker(path)
