"""sb-query --rerank: the same table as sb-query and sb-rerank one after the other give."""

import csv
import io
import shutil
import subprocess

import numpy as np
import pytest
from click.testing import CliRunner
from reranking_files import CALIBRATION, MOLECULES, SPECTRA, make_index, make_models

from specbridge_tools.cli.embed_spectra import main as embed_spectra
from specbridge_tools.cli.query import main as query
from specbridge_tools.cli.rerank import main as rerank
from specbridge_tools.hits.hits import COLUMNS
from specbridge_tools.hits.probability import candidate_probabilities


@pytest.fixture(scope="module")
def files(tmp_path_factory, save_toy_model):
    folder = tmp_path_factory.mktemp("rerank")
    (folder / "spectra.mgf").write_text(SPECTRA)
    lists = [("a", smiles) for smiles in list(MOLECULES)[:4]] + [("b", smiles) for smiles in list(MOLECULES)[2:]]
    (folder / "lists.tsv").write_text("list_id\tsmiles\n" + "".join(f"{a}\t{b}\n" for a, b in lists))
    make_index(folder, "molecules", list(MOLECULES), [f"M{i}" for i in range(len(MOLECULES))])
    make_models(folder, save_toy_model)
    return folder


@pytest.fixture
def ask(files, monkeypatch):
    """Run sb-query on the files, in one process: ask("--top", "3") -> result."""
    monkeypatch.chdir(files)

    def invoke(*arguments, spectra="spectra.mgf", index="molecules.index.h5", model="model.safetensors", input=None):
        given = [spectra, *(["--index", index] if index else []), *(["--model", model] if model else [])]
        return CliRunner().invoke(query, [*map(str, [*given, "--threads", 1, *arguments])], input=input)

    return invoke


@pytest.fixture
def ask_in_two_steps(ask):
    """sb-query --rerank 0 and then sb-rerank."""

    def invoke(*arguments, top=50, options=(), spectra="spectra.mgf", model="model.safetensors", **settings):
        first = ask("--rerank", "0", "--top", "0", *arguments, spectra=spectra, model=model, **settings)
        assert first.exit_code == 0, first.stderr
        given = ["-", "--spectra", spectra, "--model", model, "--rerank", top, "--threads", 1, *options]
        return CliRunner().invoke(rerank, [*map(str, given)], input=first.stdout)

    return invoke


def table(done):
    assert done.exit_code == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout), delimiter="\t"))


@pytest.mark.slow
@pytest.mark.parametrize("model", ["model.safetensors", "calibrated.safetensors"])
@pytest.mark.parametrize(
    ("arguments", "settings", "options"),
    [
        ((), {}, ()),
        (("--mode", "formula"), {}, ()),
        (("--mode", "open", "--exact"), {}, ()),
        (("--candidates", "lists.tsv"), {}, ()),
        (("--candidates", "lists.tsv"), {"index": None}, ()),
        (("--format", "jsonl"), {}, ("--format", "jsonl")),
        (("--group-by", "feature_id"), {}, ("--group-by", "FEATURE_ID")),
    ],
)
def test_one_step_gives_what_two_give(ask, ask_in_two_steps, model, arguments, settings, options):
    settings = {**settings, "model": model}
    expected = ask_in_two_steps(*arguments, top=4, options=options, **settings)
    found = ask(*arguments, "--rerank", "4", "--top", "0", **settings)
    assert found.exit_code == expected.exit_code == 0
    assert found.stdout == expected.stdout
    assert (
        ask(*arguments, "--top", "0", **settings).stdout
        == ask_in_two_steps(*arguments, top=50, options=options, **settings).stdout
    )


@pytest.mark.slow
def test_through_a_pipe_and_with_several_processes(files, ask, tmp_path):
    settings = "--index molecules.index.h5 --model model.safetensors --threads 2 -q"
    line = (
        f"cat spectra.mgf | sb-query - {settings} --rerank 0 --top 0 "
        f"| sb-rerank - --spectra spectra.mgf --model model.safetensors --threads 2 -q > {tmp_path}/two.tsv; "
        f"cat spectra.mgf | sb-query - {settings} --top 0 > {tmp_path}/one.tsv"
    )
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", line], cwd=files, timeout=120, check=True)
    assert (tmp_path / "one.tsv").read_text() == (tmp_path / "two.tsv").read_text() == ask("--top", "0").stdout


def test_the_columns_and_the_ids_in_their_order(ask):
    rows = table(ask("--rerank", "4", "--top", "0"))
    assert list(rows[0]) == [*COLUMNS[:3], "cosine", "fragment_score", "explained_intensity", *COLUMNS[3:]]
    assert list(dict.fromkeys(row["query_id"] for row in rows)) == ["low", "nothing", "other", "high", "no adduct"]
    low = [row for row in rows if row["query_id"] == "low"]
    assert len(low) == len(MOLECULES) - 1
    assert [bool(row["fragment_score"]) for row in low] == [True] * 4 + [False] * 5
    cosine, score, fragment = (
        np.array([float(row[name] or "nan") for row in low]) for name in ("cosine", "score", "fragment_score")
    )
    assert cosine[:4].min() >= cosine[4:].max()
    assert (np.diff(cosine[4:]) <= 0).all()
    assert (np.diff(score) <= 0).all()
    assert score[:4] == pytest.approx(2 * cosine[:4] + fragment[:4], abs=1e-4)


def test_top_cuts_after_re_ranking(ask):
    whole = [row for row in table(ask("--top", "0")) if row["query_id"] == "low"]
    assert [row for row in table(ask("--top", "2")) if row["query_id"] == "low"] == whole[:2]
    first_by_cosine = [row["smiles"] for row in table(ask("--rerank", "0", "--top", "2")) if row["query_id"] == "low"]
    assert [row["smiles"] for row in whole[:2]] != first_by_cosine
    by_three = [row for row in table(ask("--rerank", "3", "--top", "0")) if row["query_id"] == "low"]
    assert [row for row in table(ask("--rerank", "3", "--top", "5")) if row["query_id"] == "low"] == by_three[:5]


def test_a_model_without_a_ranker_ranks_by_cosine(ask):
    found = ask(model="plain.safetensors")
    assert found.stdout == ask("--rerank", "0", model="plain.safetensors").stdout
    assert tuple(table(found)[0]) == COLUMNS
    refused = ask("--rerank", "5", model="plain.safetensors")
    assert refused.exit_code == 2
    assert "plain.safetensors: the model holds no ranker" in refused.stderr


@pytest.mark.slow
def test_embeddings_have_no_peaks(files, ask, tmp_path):
    arguments = (files / "spectra.mgf", "--model", files / "model.safetensors", "-o", tmp_path / "spectra.h5", "-q")
    assert CliRunner().invoke(embed_spectra, list(map(str, arguments))).exit_code == 0
    found = ask(spectra=tmp_path / "spectra.h5")
    assert found.stdout == ask("--rerank", "0").stdout
    assert ask("--rerank", "0", spectra=tmp_path / "spectra.h5").stdout == found.stdout
    refused = ask("--rerank", "50", spectra=tmp_path / "spectra.h5")
    assert refused.exit_code == 2
    assert "embeddings have no peaks" in refused.stderr


def test_a_model_from_a_pipe_is_read_once(files, ask):
    model = (files / "model.safetensors").read_bytes()
    assert ask(model="-", input=model).stdout == ask().stdout


def ranking(rows):
    """For each query the InChIKeys with their scores, best first."""
    found = {}
    for row in rows:
        found.setdefault(row["query_id"], []).append((row["inchikey14"], float(row["score"] or "nan")))
    return found


def assert_same_ranking(rows, expected):
    rows, expected = ranking(rows), ranking(expected)
    assert list(rows) == list(expected)
    for name, pairs in rows.items():
        assert [key for key, _ in pairs] == [key for key, _ in expected[name]]
        assert [score for _, score in pairs] == pytest.approx(
            [score for _, score in expected[name]], abs=2e-5, nan_ok=True
        )


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [(), ("--rerank", "4")])
def test_neither_order_nor_spelling_nor_ids_move_the_ranking(files, ask, ask_in_two_steps, arguments):
    expected = table(ask("--top", "0", *arguments))
    assert {len(pairs) for pairs in ranking(expected).values()} == {1, len(MOLECULES) - 1, len(MOLECULES)}
    order = np.random.default_rng(3).permutation(len(MOLECULES))
    smiles = [list(MOLECULES.values())[i] for i in order]
    make_index(files, f"shuffled{len(arguments)}", smiles, [f"zz{99 - i}" for i in order])
    name = f"shuffled{len(arguments)}.index.h5"
    assert_same_ranking(table(ask("--top", "0", *arguments, index=name)), expected)
    top = int(arguments[1]) if arguments else 50
    assert_same_ranking(table(ask_in_two_steps(index=name, top=top)), expected)


@pytest.mark.slow
@pytest.mark.parametrize("ppm", [-8, 8])
def test_the_mass_error_does_not_move_the_ranking(ask, ask_in_two_steps, tmp_path, ppm):
    moved = SPECTRA.replace("PEPMASS=152.0706", f"PEPMASS={152.0706 * (1 + ppm * 1e-6):.6f}")
    (tmp_path / "moved.mgf").write_text(moved)
    # the toy encoder reads the precursor itself: its cosines move, the fragment scores must not
    rows = table(ask("--top", "0", spectra=tmp_path / "moved.mgf"))
    for name in ("low", "other", "high"):
        scores = {
            row["inchikey14"]: float(row["fragment_score"])
            for row in table(ask("--top", "0"))
            if row["query_id"] == name
        }
        found = {row["inchikey14"]: float(row["fragment_score"]) for row in rows if row["query_id"] == name}
        errors = {row["mass_error_ppm"] for row in rows if row["query_id"] == name}
        assert found == pytest.approx(scores, rel=2e-5)
        assert all(abs(float(error) - ppm) < 2 for error in errors)
        assert sorted(found, key=found.get) == sorted(scores, key=scores.get)
    assert table(ask_in_two_steps(spectra=tmp_path / "moved.mgf")) == rows


def test_a_pipe_of_spectra_can_be_grouped(files, ask):
    grouped = ask("--group-by", "FEATURE_ID").stdout
    assert ask("--group-by", "FEATURE_ID", spectra="-", input=(files / "spectra.mgf").read_bytes()).stdout == grouped


@pytest.mark.slow
def test_probabilities_of_the_fused_score(ask):
    n = len(MOLECULES) - 1
    for top, scored in (("50", n), ("4", 4)):
        found = table(ask("--rerank", top, "--top", "0", model="calibrated.safetensors"))
        rows = [row for row in found if row["query_id"] == "low"]
        assert [bool(row["probability"]) for row in rows] == [True] * scored + [False] * (n - scored)
        score = [float(row["score"]) for row in rows[:scored]]
        stated = [float(row["probability"]) for row in rows[:scored]]
        assert stated == pytest.approx(candidate_probabilities(score, CALIBRATION, n_candidates=n), rel=1e-4)
    # fewer than the calibration is for, an uncalibrated ranker, a list that was not searched whole: none is stated
    for arguments, model in (
        (("--rerank", "3"), "calibrated.safetensors"),
        ((), "model.safetensors"),
        (("--mode", "open", "--exact"), "calibrated.safetensors"),
    ):
        assert {row["probability"] for row in table(ask(*arguments, model=model))} == {""}


def test_min_probability_after_re_ranking(ask):
    whole = table(ask("--top", "0", model="calibrated.safetensors"))
    best = {row["query_id"]: float(row["probability"]) for row in whole[::-1] if row["probability"]}
    least = np.mean([min(best.values()), max(best.values())])
    rows = table(ask("--top", "0", "--min-probability", least, model="calibrated.safetensors"))
    for name in dict.fromkeys(row["query_id"] for row in whole):
        kept = [row for row in whole if row["query_id"] == name and float(row["probability"] or 0) >= least]
        found = [row for row in rows if row["query_id"] == name]
        if kept:
            assert found == kept
        elif name != "nothing":
            (row,) = found
            assert row["reason"] == f"no candidate with a probability of at least {least:g}"
            assert int(row["n_candidates"]) == sum(one["query_id"] == name for one in whole)
    assert {row["query_id"] for row in rows if row["reason"]} > {"nothing"}
    refused = ask("--min-probability", "0.5")
    assert refused.exit_code == 2
    assert "not calibrated" in refused.stderr
    refused = ask("--min-probability", "0.5", "--rerank", "3", model="calibrated.safetensors")
    assert refused.exit_code == 2
    assert "first 4 candidates, not on 3" in refused.stderr


def test_hits_of_groups_need_the_field(files, ask, tmp_path):
    (tmp_path / "hits.tsv").write_text(ask("--rerank", "0", "--group-by", "FEATURE_ID").stdout)
    shutil.copy(files / "spectra.mgf", tmp_path)
    arguments = [tmp_path / "hits.tsv", "--spectra", tmp_path / "spectra.mgf", "--model", files / "model.safetensors"]
    refused = CliRunner().invoke(rerank, [*map(str, arguments), "--threads", "1"])
    assert refused.exit_code == 1
    assert "query '1' of the hits is not among the spectra" in refused.stderr
    assert "--group-by" in refused.stderr
    refused = CliRunner().invoke(rerank, [*map(str, arguments), "--threads", "1", "--group-by", "absent"])
    assert refused.exit_code == 1
    assert "'absent'" in refused.stderr or "absent" in refused.stderr
