import contextlib
import csv
import io
import runpy
import subprocess
from pathlib import Path

import pytest

from specbridge_tools import pretrained
from specbridge_tools.fragmentation.network.ranker_file import load_ranker
from specbridge_tools.ranking.ranking_file import find_ranking
from specbridge_tools.weights.tensor_file import read_tensor_file, write_tensor_file

DATA = Path(__file__).parents[2] / "galaxy_wrappers" / "test-data"
CURVE = DATA.parents[1] / "examples" / "training" / "ranking_curve.py"
QUICK = ("--epochs", "2", "--networks", "1", "--width", "4", "--threads", "1")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """An index of the molecules of the test data, in the space of the model that ships."""
    folder = tmp_path_factory.mktemp("index")
    for command in (
        ["sb-embed-mols", DATA / "molecules.tsv", "-o", "molecules.h5", "--threads", "1"],
        ["sb-build-index", "molecules.h5", "-o", "index.h5"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "index.h5"


@pytest.mark.slow
def test_a_ranking_is_trained_and_ranks(call, tmp_path, monkeypatch, index):
    settings = ("--index", index, "--lists", "lists.npz", *QUICK)
    done = call(
        "sb-train-ranking", DATA / "train.mgf", *settings, "-o", "model.safetensors", "--report", "report.tsv"
    )  # fmt: skip
    assert b"53 spectra" in done.stderr
    ranking = find_ranking(tmp_path / "model.safetensors")
    assert ranking.config["molecules"] == 16
    assert ranking.config["training"]["epochs"] == 2
    with open(tmp_path / "report.tsv") as stream:
        report = {(row["kind"], row["metric"]): row for row in csv.DictReader(stream, delimiter="\t")}
    assert int(report["single_unknown", "recall@1"]["lists"]) >= 53
    values = [float(report["single", f"recall@{k}"]["value"]) for k in (1, 5, 20)]
    assert 0 <= values[0] <= values[1] <= values[2] == 1
    assert ("group", "coverage@0.9") in report
    # the lists were kept, and say the same
    again = call("sb-train-ranking", DATA / "train.mgf", *settings, "-o", "again.safetensors")
    assert again.stderr.split(b" lists")[0].split()[-1] == done.stderr.split(b" lists")[0].split()[-1]
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()
    monkeypatch.setattr("sys.argv", ["ranking_curve.py", str(tmp_path / "lists.npz"), "--networks", "1"])
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        runpy.run_path(str(CURVE), run_name="__main__")
    curve = [line.split("|")[1].strip() for line in printed.getvalue().splitlines()]
    assert curve == ["the linear sum", *(f"{share} of the molecules" for share in ("25%", "50%", "100%"))]

    settings = ("--index", index, "--model", "model.safetensors", "--threads", "1")
    call("sb-query", DATA / "spectra.mgf", *settings, "-o", "hits.tsv")
    with open(tmp_path / "hits.tsv") as stream:
        hits = list(csv.DictReader(stream, delimiter="\t"))
    for query in {row["query_id"] for row in hits}:
        rows = [row for row in hits if row["query_id"] == query]
        scores = [float(row["score"]) for row in rows]
        assert scores == sorted(scores, reverse=True)
        assert sum(float(row["probability_if_listed"]) for row in rows) <= 1.0001
        assert 0 < sum(float(row["probability"]) for row in rows) < 1

    # cosines, ranked by all evidence afterwards, are the same
    call("sb-query", DATA / "spectra.mgf", *settings, "--rerank", "0", "--top", "0", "-o", "cosines.tsv")
    spectra = ("--spectra", DATA / "spectra.mgf", "--model", "model.safetensors", "--threads", "1")
    call("sb-rerank", "cosines.tsv", *spectra, "-o", "again.tsv")
    call("sb-query", DATA / "spectra.mgf", *settings, "--top", "0", "-o", "all.tsv")
    assert (tmp_path / "again.tsv").read_bytes() == (tmp_path / "all.tsv").read_bytes()

    call("sb-query", DATA / "spectra.mgf", *settings, "--coverage", "0.5", "-o", "half.tsv")
    with open(tmp_path / "half.tsv") as stream:
        assert 0 < len(list(csv.DictReader(stream, delimiter="\t"))) <= len(hits)


def test_spectra_without_structures_are_counted(call, tmp_path):
    (tmp_path / "plain.mgf").write_text("BEGIN IONS\nTITLE=a\nPEPMASS=152.07\nADDUCT=[M+H]+\n93.03 5\nEND IONS\n")
    done = call("sb-train-ranking", "plain.mgf", "--index", "index.h5", "-o", "model.safetensors", status=1)
    assert b"no spectrum with a structure" in done.stderr
    assert not (tmp_path / "model.safetensors").exists()


def test_a_model_without_a_ranking_has_no_answer_sets(call, tmp_path):
    done = call(
        "sb-query", DATA / "spectra.mgf", "--index", DATA / "index.h5", "--model", DATA / "model.safetensors",
        "--coverage", "0.9", status=2,
    )  # fmt: skip
    assert b"the model holds no ranker" in done.stderr


@pytest.mark.slow
def test_the_network_of_fragments_is_trained_further(call, tmp_path, index):
    # the spectra to fit to are among those to train on, and left out of them
    settings = ("--fragments", DATA / "train.mgf", "--fragments", DATA / "spectra.mgf", "--fragment-epochs", "1")
    settings += ("--index", index, "--spectra-each", "1", "--threads", "1")
    done = call("sb-train-ranking", DATA / "train.mgf", *settings, "-o", "model.safetensors")
    assert b"69 spectra of fragments read, 53 rejected (53 molecule is held back)" in done.stderr
    assert b"epoch 1 of 1" in done.stderr
    before, ranker = load_ranker(), load_ranker(tmp_path / "model.safetensors")
    assert len(ranker.networks) == 1
    assert (ranker.networks[0]["hidden.weight"] != before.networks[0]["hidden.weight"]).any()
    assert len(ranker.config["held_back"]) == 16
    assert ranker.fusion(1) != before.fusion(1)
    weights = find_ranking(tmp_path / "model.safetensors").linear(1)
    assert weights["cosine"] == ranker.fusion(1).cosine_weight
    # the network is kept, and trained once
    again = call("sb-train-ranking", DATA / "train.mgf", *settings, "-o", "model.safetensors", "--force")
    assert b"epoch 1 of 1" not in again.stderr
    settings = (*settings[:5], "2", *settings[6:])
    done = call("sb-train-ranking", DATA / "train.mgf", *settings, "-o", "model.safetensors", "--force", status=1)
    assert b"model.safetensors.checkpoints" in done.stderr


@pytest.mark.slow
def test_processes_of_torchrun_train_one_network(tmp_path, index):
    command = [
        "torchrun",
        "--standalone",
        "--nproc-per-node",
        "2",
        "--no-python",
        "sb-train-ranking",
        DATA / "train.mgf",
    ]
    command += ["--fragments", DATA / "spectra.mgf", "--fragment-epochs", "1", "--index", index]
    command += ["--spectra-each", "1", "--threads", "1", "-o", "model.safetensors"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stderr.count("epoch 1 of 1") == 1
    assert find_ranking(tmp_path / "model.safetensors").config["molecules"] == 16


@pytest.fixture(scope="module")
def bridge(tmp_path_factory):
    """The model that ships, without what scores fragments and what ranks."""
    header, tensors = read_tensor_file(pretrained.MODEL)
    for name in ("ranker", "ranking"):
        header.pop(name)
    path = tmp_path_factory.mktemp("bridge") / "bridge.safetensors"
    own = {name: each for name, each in tensors.items() if not name.startswith(("ranker.", "ranking."))}
    write_tensor_file(own, header, path)
    return path


@pytest.mark.slow
def test_a_model_takes_the_network_of_another(call, tmp_path, index, bridge):
    """As it is, so that such a model is the one that the other would become; or trained further."""
    settings = ("--index", index, "--spectra-each", "1", "--threads", "1")
    call("sb-train-ranking", DATA / "train.mgf", *settings, "-o", "whole.safetensors")
    taken = ("--model", bridge, "--fragments-from", "default")
    call("sb-train-ranking", DATA / "train.mgf", *settings, *taken, "-o", "taken.safetensors")
    assert same_contents(tmp_path / "taken.safetensors", tmp_path / "whole.safetensors")
    settings += ("--fragments", DATA / "spectra.mgf", "--fragment-epochs", "1", "--checkpoints", "networks")
    call("sb-train-ranking", DATA / "train.mgf", *settings, "-o", "whole.safetensors", "--force")
    given = ("--model", bridge, "--fragments-from", "taken.safetensors")
    call("sb-train-ranking", DATA / "train.mgf", *settings, *given, "-o", "further.safetensors")
    assert same_contents(tmp_path / "further.safetensors", tmp_path / "whole.safetensors")
    assert not same_contents(tmp_path / "further.safetensors", tmp_path / "taken.safetensors")
    other = ("--model", bridge, "--fragments-from", bridge)
    done = call("sb-train-ranking", DATA / "train.mgf", *settings, *other, "-o", "other.safetensors", status=1)
    assert b"bridge.safetensors: holds no ranker" in done.stderr


def same_contents(one, other):
    (header, tensors), (others_header, others) = read_tensor_file(one), read_tensor_file(other)
    assert tensors.keys() == others.keys()
    return header == others_header and all((tensors[name] == others[name]).all() for name in tensors)


def test_a_model_without_a_network_needs_spectra_to_train_one_on(call, tmp_path, index):
    model = ("--model", DATA / "model.safetensors")
    done = call("sb-train-ranking", DATA / "train.mgf", "--index", index, *model, "-o", "model.safetensors", status=1)
    assert b"--fragments" in done.stderr
    assert not (tmp_path / "model.safetensors").exists()
