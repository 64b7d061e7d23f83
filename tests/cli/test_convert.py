"""sb-convert: the benchmark's files in small, through to the hits."""

import csv
import gzip
import json

import numpy as np
import pytest

from specbridge_tools.molecules.formula import mass_of_formula
from specbridge_tools.spectra.reader import read_spectra

PROTON = 1.007276466
COLUMNS = (
    "identifier", "mzs", "intensities", "smiles", "inchikey", "formula", "precursor_formula", "parent_mass",
    "precursor_mz", "adduct", "instrument_type", "collision_energy", "fold", "simulation_challenge",
)  # fmt: skip
LISTS = {
    "COc1ccc(CO)cc1": ["OCc1ccc(OC)cc1", "OCCc1ccc(O)cc1", "COc1ccccc1OC"],
    "CCCCO": ["CCCCO", "CC(C)CO", "CCOCC"],
    "NOT.USED": ["C"],
    "OC(=O)C(N)C": ["CC(N)C(O)=O", "CNCC(O)=O"],
}
FORMULAS = {"COc1ccc(CO)cc1": "C8H10O2", "CCCCO": "C4H10O", "CC(N)C(=O)O": "C3H7NO2", "CCN": "C2H7N"}


def row(number, smiles, fold, **changes):
    formula = FORMULAS[smiles]
    mz = np.round(np.random.default_rng(number).uniform(20, 120, 4), 4)
    values = {
        "identifier": f"MassSpecGymID{number:07d}",
        "mzs": ",".join(map(str, mz)),
        "intensities": "0.25,1.0,0.5,0.125",
        "smiles": smiles,
        "inchikey": "ABCDEFGHIJKLMN",
        "formula": formula,
        "precursor_mz": str(mass_of_formula(formula) + PROTON),
        "parent_mass": str(mass_of_formula(formula)),
        "adduct": "[M+H]+",
        "instrument_type": "Orbitrap",
        "collision_energy": "30.0",
        "fold": fold,
        "simulation_challenge": "True",
    }
    return "\t".join((values | changes).get(name, "") for name in COLUMNS)


ROWS = (
    row(1, "COc1ccc(CO)cc1", "test"),
    row(2, "COc1ccc(CO)cc1", "test", collision_energy=""),
    row(3, "CCCCO", "train"),
    row(4, "CC(N)C(=O)O", "test"),
    row(5, "CCN", "val"),
    row(6, "CCCCO", "train", mzs="20,x"),
    row(7, "CCCCO", "train", intensities="1,2,3"),
    row(8, "CCCCO", ""),
    "too\tfew",
)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "spectra.tsv").write_text("\n".join(("\t".join(COLUMNS), *ROWS)) + "\n")
    (tmp_path / "lists.json").write_text(json.dumps(LISTS))
    return ("massspecgym", "spectra.tsv", "lists.json")


@pytest.fixture
def toy_model(tmp_path, save_toy_model):
    return save_toy_model(tmp_path / "model.safetensors").name


def test_folds_and_lists(call, files, tmp_path):
    done = call("sb-convert", *files, "-o", "out", "--rejects", "rejects.tsv")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "candidates.tsv", "test.mgf", "train.mgf", "val.mgf",
    ]  # fmt: skip
    assert done.stdout.decode().splitlines() == [
        "fold\tfile\trecords", "test\tout/test.mgf\t3", "train\tout/train.mgf\t1", "val\tout/val.mgf\t1",
    ]  # fmt: skip
    assert done.stderr.decode().startswith("9 spectra read, 4 rejected (")
    assert done.stderr.decode().rstrip().endswith("; 3 lists, 8 candidates, 1 spectra without a list")
    test = list(read_spectra(tmp_path / "out" / "test.mgf"))
    first = test[0]
    assert (first.id, first.adduct, first.charge) == ("MassSpecGymID0000001", "[M+H]+", 1)
    assert first.metadata["collision_energy"] == "30.0"
    assert first.metadata["instrument_type"] == "Orbitrap"
    assert first.metadata["smiles"] == "COc1ccc(CO)cc1"
    assert "collision_energy" not in test[1].metadata
    assert sorted(first.intensity.tolist()) == [0.125, 0.25, 0.5, 1.0]
    assert [spectrum.metadata["candidates"] for spectrum in test] == ["1", "1", "4"]
    lists = {}
    with (tmp_path / "out" / "candidates.tsv").open() as stream:
        for line in csv.DictReader(stream, delimiter="\t"):
            lists.setdefault(line["list_id"], []).append(line["smiles"])
    # as they were spelled, and the one of another spelling is found by its molecule
    assert lists == {"1": LISTS["COc1ccc(CO)cc1"], "2": LISTS["CCCCO"], "4": LISTS["OC(=O)C(N)C"]}
    rejects = list(csv.DictReader((tmp_path / "rejects.tsv").read_text().splitlines(), delimiter="\t"))
    assert [(each["record"], each["reason"]) for each in rejects] == [
        ("6", "peak not a number"),
        ("7", "unequal m/z and intensity"),
        ("8", "no fold"),
        ("9", "number of cells differs from the header"),
    ]


@pytest.mark.slow
def test_pipes_and_gzip_give_the_same(run, files, tmp_path):
    run("sb-convert", *files, "-o", "plain")
    spectra = gzip.compress((tmp_path / "spectra.tsv").read_bytes())
    run("sb-convert", "massspecgym", "-", "lists.json", "-o", "piped", stdin=spectra)
    run("sb-convert", "massspecgym", "spectra.tsv", "-", "-o", "lists/", stdin=(tmp_path / "lists.json").read_bytes())
    for name in ("candidates.tsv", "test.mgf", "train.mgf", "val.mgf"):
        expected = (tmp_path / "plain" / name).read_bytes()
        assert (tmp_path / "piped" / name).read_bytes() == expected
        assert (tmp_path / "lists" / name).read_bytes() == expected


def test_without_lists_and_onto_files_that_exist(call, files, tmp_path):
    call("sb-convert", *files[:2], "-o", "out", "-q")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["test.mgf", "train.mgf", "val.mgf"]
    before = (tmp_path / "out" / "train.mgf").read_bytes()
    done = call("sb-convert", *files, "-o", "out", status=2)
    assert b"exists already" in done.stderr
    assert (tmp_path / "out" / "train.mgf").read_bytes() == before
    assert not (tmp_path / "out" / "candidates.tsv").exists()
    call("sb-convert", *files, "-o", "out", "--force")


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("spectra.tsv", "identifier\tmzs\n", b"no column intensities, precursor_mz, fold"),
        ("spectra.tsv", "", b"no column identifier"),
        ("lists.json", "[1, 2]", b"is not a JSON object"),
        ("lists.json", '{"CCCCO": "CCCCO"}', b"is not a list of strings"),
    ],
)
def test_other_files_are_refused_and_nothing_is_left(call, files, tmp_path, name, content, word):
    (tmp_path / name).write_text(content)
    done = call("sb-convert", *files, "-o", "out", status=1)
    assert word in done.stderr
    assert name.encode() in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_strict_and_usage(call, files):
    assert b"line 7: peak not a number" in call("sb-convert", *files, "-o", "out", "--strict", status=1).stderr
    assert b"both be stdin" in call("sb-convert", "massspecgym", "-", "-", "-o", "out", status=2).stderr
    call("sb-convert", "other", "x", "-o", "out", status=2)


def test_the_lists_are_ranked(call, files, tmp_path, toy_model):
    """From the published files to hits: every candidate of each list, the truth among them."""
    call("sb-convert", *files, "-o", "out")
    lists = ("--candidates", "out/candidates.tsv", "--model", toy_model)
    call("sb-query", "out/test.mgf", *lists, "--top", "0", "-o", "hits.tsv")
    with (tmp_path / "hits.tsv").open() as stream:
        hits = list(csv.DictReader(stream, delimiter="\t"))
    found = {}
    for hit in hits:
        found.setdefault(hit["query_id"], set()).add(hit["smiles"])
    first = {"COc1ccc(CO)cc1", "OCCc1ccc(O)cc1", "COc1ccccc1OC"}
    third = {"CC(N)C(=O)O", "CNCC(=O)O"}
    assert list(found.values()) == [first, first, third]
    assert {hit["n_candidates"] for hit in hits} == {"3", "2"}
