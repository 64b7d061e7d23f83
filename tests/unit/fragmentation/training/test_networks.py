import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from specbridge_tools.errors import DataError, FormatError, MismatchError, SpecbridgeError
from specbridge_tools.fragmentation.network.ranker_file import load_ranker
from specbridge_tools.fragmentation.training.examples import MeasuredMolecule
from specbridge_tools.fragmentation.training.forked import run_forked
from specbridge_tools.fragmentation.training.networks import train_networks
from specbridge_tools.fragmentation.training.recipe import Stage, Widths, further
from specbridge_tools.fragmentation.training.stage_files import stage_description, write_description
from specbridge_tools.fragmentation.training.train import TrainingOptions
from specbridge_tools.spectra.spectrum import Spectrum

MASS = 151.06333
ISOMERS = [
    ("PARACETAMOL", "CC(=O)Nc1ccc(O)cc1"),
    ("ANTHRANILATE", "COC(=O)c1ccccc1N"),
    ("GLYCINAMIDE", "NCC(=O)c1ccc(O)cc1"),
    ("NITROSO", "CCOc1ccc(N=O)cc1"),
]
PARACETAMOL = np.array([65.0386, 93.0335, 110.0600, 152.0706])
ESTER = np.array([92.0495, 120.0444])
WIDTHS = Widths(4, 6, 4)


def molecule(number, mz):
    spectra = [Spectrum(f"{number}", 152.0706, mz, np.arange(1.0, len(mz) + 1), adduct="[M+H]+")]
    return MeasuredMolecule(ISOMERS[number][1], MASS, spectra)


MOLECULES = {"PARACETAMOL": molecule(0, PARACETAMOL), "ANTHRANILATE": molecule(1, ESTER)}
VALIDATION = {"GLYCINAMIDE": molecule(2, PARACETAMOL), "NITROSO": molecule(3, ESTER)}
OPTIONS = TrainingOptions(epochs=2, molecules=2, move_intensity=0.2, drop_peaks=0.2, learning_rate=1e-2)
FIRST = Stage("first", OPTIONS, WIDTHS, dropout=0.2)
TAUGHT = Stage("taught", dataclasses.replace(OPTIONS, seed=1), WIDTHS, start_from="first", teachers=("first",))
RECIPE = (FIRST, TAUGHT)


def isomers(mass):
    return ISOMERS if abs(mass - MASS) < 0.001 else []


def run(folder, recipe=RECIPE, molecules=MOLECULES, **options):
    return train_networks(molecules, isomers, recipe, folder=folder, **options)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def stop_at(stage, epoch):
    def after_epoch(report):
        if (report.stage, report.epoch) == (stage, epoch):
            raise KeyboardInterrupt

    return after_epoch


def distance(one, other):
    """The largest difference between the weights of two networks."""
    return max(np.abs(one.networks[0][name] - value).max() for name, value in other.networks[0].items())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with both stages, the ranker, and what was reported."""
    folder, reports, counts = tmp_path_factory.mktemp("finished") / "new", [], {}
    ranker = run(
        folder,
        validation=VALIDATION,
        after_epoch=reports.append,
        after_examples=lambda name, each: counts.update({name: each}),
    )
    return folder, ranker, reports, counts


def test_each_epoch_is_reported_with_the_recall_of_other_molecules(finished):
    folder, ranker, reports, counts = finished
    assert [(each.stage, each.epoch, each.epochs) for each in reports] == [
        ("first", 1, 2), ("first", 2, 2), ("taught", 1, 2), ("taught", 2, 2),
    ]  # fmt: skip
    for report in reports:
        assert report.loss > 0
        assert report.recall[2] == 1  # of four candidates
        assert report.recall[0] in (0, 0.5, 1)
    assert {name: (each.examples, each.candidates) for name, each in counts.items()} == {
        "first": (2, 8), "taught": (2, 8),
    }  # fmt: skip
    assert sorted(contents(folder)) == ["first.json", "first.safetensors", "taught.json", "taught.safetensors"]
    assert ranker.config["held_back"] == sorted(VALIDATION)
    assert ranker.config["training"]["seed"] == 1
    assert distance(ranker, load_ranker(folder / "taught.safetensors")) == 0


def test_what_is_finished_is_read_and_not_trained_again(finished):
    folder, ranker, _, _ = finished
    before = contents(folder)

    def never(*_):
        raise AssertionError

    assert distance(ranker, run(folder, after_epoch=never, after_examples=never)) == 0
    assert contents(folder) == before


def test_what_was_interrupted_ends_with_the_same_bytes(finished, tmp_path):
    for stage in ("first", "taught"):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, after_epoch=stop_at(stage, 1))
        assert (tmp_path / f"{stage}.safetensors.state").exists()
        assert not (tmp_path / f"{stage}.safetensors").exists()
    reports = []
    run(tmp_path, after_epoch=reports.append)
    assert [(report.stage, report.epoch, report.recall) for report in reports] == [("taught", 2, None)]
    assert contents(tmp_path) == contents(finished[0])


def copied(finished, tmp_path):
    for name, content in contents(finished[0]).items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"molecules": {**MOLECULES, "NITROSO": VALIDATION["NITROSO"]}}, "molecules.count, molecules.sha256"),
        ({"recipe": (dataclasses.replace(FIRST, dropout=0.0), TAUGHT)}, "stage.dropout"),
        ({"recipe": (FIRST, dataclasses.replace(TAUGHT, spectra_each=5))}, "stage.spectra_each"),
        ({"inputs": {"index": "other.h5"}}, "inputs.index"),
    ],
)
def test_files_that_were_made_from_something_else_are_refused(finished, tmp_path, changes, named):
    folder = copied(finished, tmp_path)
    before = contents(folder)
    with pytest.raises(
        FormatError, match=rf"(first|taught)\.safetensors: was made with other values of {named}; remove"
    ):
        run(folder, **changes)
    assert contents(folder) == before


def test_a_stage_rests_on_the_options_of_those_before_it(finished, tmp_path):
    """The first stage is trained anew with other options; what was made from it before is refused."""
    folder = copied(finished, tmp_path)
    (folder / "first.safetensors").unlink()
    with pytest.raises(
        FormatError, match=r"taught.safetensors: was made with other values of stage.start_from.dropout"
    ):
        run(folder, (dataclasses.replace(FIRST, dropout=0.0), TAUGHT))


def test_a_file_that_does_not_say_what_it_was_made_from_is_refused(finished, tmp_path):
    folder = copied(finished, tmp_path)
    (folder / "first.json").unlink()
    with pytest.raises(
        FormatError, match=r"first\.safetensors: .* no first\.json beside it; remove it, or name another"
    ):
        run(folder)
    (folder / "first.json").write_text("{")
    with pytest.raises(FormatError, match=r"first\.json: is no JSON"):
        run(folder)
    write_description(stage_description(FIRST, RECIPE, MOLECULES), folder / "first.json")
    run(folder)
    assert contents(folder) == contents(finished[0])
    assert json.loads((folder / "first.json").read_text())["molecules"]["count"] == 2


def test_a_taught_network_differs_from_one_that_is_not(finished, tmp_path):
    untaught = run(copied(finished, tmp_path), (FIRST, dataclasses.replace(TAUGHT, name="untaught", teachers=())))
    assert distance(untaught, finished[1]) > 1e-4


def test_training_goes_on_from_a_given_network(finished, tmp_path):
    """The first steps are small: the network stays near where it began, and far from a random one."""
    weights = finished[1].networks[0]
    (stage,) = further(weights, 1)
    assert stage.widths == WIDTHS
    ranker = run(tmp_path, (stage,), start=weights)
    assert 0 < distance(ranker, finished[1]) < 0.02
    with pytest.raises(FormatError, match=r"stage\.start_from"):
        run(tmp_path, (stage,), start={**weights, "out.bias": weights["out.bias"] + 1})
    with pytest.raises(MismatchError, match=r"has the widths \(4, 6, 4\), expected \(4, 6, 5\)"):
        run(tmp_path / "other", (dataclasses.replace(stage, widths=Widths(4, 6, 5)),), start=weights)


def test_molecules_that_cannot_be_learned_from(tmp_path):
    with pytest.raises(DataError, match=r"no molecule can be learned from: 0 of 0 molecules.*give spectra"):
        run(tmp_path, molecules={})
    with pytest.raises(MismatchError, match=r"1 molecules are in training and validation, e\.g\. NITROSO"):
        run(tmp_path, molecules=VALIDATION, validation={"NITROSO": VALIDATION["NITROSO"]})


def test_two_processes_take_the_steps_of_one(tmp_path):
    """Where nothing is drawn but the order, their summed gradient is that of one process, but for rounding."""
    options = dataclasses.replace(OPTIONS, hide_energy=0.0, drop_peaks=0.0, move_intensity=0.0)
    recipe = (Stage("first", options, WIDTHS),)
    reports = []
    alone = run(tmp_path / "one", recipe)
    together = run(tmp_path / "two", recipe, n_processes=2, validation=VALIDATION, after_epoch=reports.append)
    assert distance(alone, together) < 1e-4
    assert [(report.epoch, len(report.recall)) for report in reports] == [(1, 3), (2, 3)]
    assert sorted(contents(tmp_path / "two")) == ["first.json", "first.safetensors"]


def test_two_processes_go_on_where_they_were_interrupted(tmp_path, new_children):
    folders, recipe = (tmp_path / "whole", tmp_path / "stopped"), (FIRST,)
    run(folders[0], recipe, n_processes=2)
    with pytest.raises(KeyboardInterrupt):
        run(folders[1], recipe, n_processes=2, after_epoch=stop_at("first", 1))
    assert new_children() == []
    run(folders[1], recipe, n_processes=2)
    assert contents(folders[0]) == contents(folders[1])


def test_processes_that_others_started_fork_nothing_and_agree(finished, tmp_path):
    """As under torchrun: each calls the function, and the first writes; each returns what was written."""
    reports = []

    def call(processes, report):
        told = []
        ranker = run(tmp_path / "called", n_processes=2, processes=processes, after_epoch=told.append)
        assert len(told) == (4 if processes.is_first else 0)
        report({name: value.tobytes() for name, value in ranker.networks[0].items()})

    run_forked(2, call, reports.append)
    assert reports[0] == reports[1]
    run(tmp_path / "forked", n_processes=2)
    assert contents(tmp_path / "called") == contents(tmp_path / "forked")
    assert sorted(contents(tmp_path / "called")) == sorted(contents(finished[0]))


def test_what_goes_wrong_in_one_of_two_processes_is_raised_here(tmp_path, new_children):
    (tmp_path / "first.safetensors.state").write_bytes(b"nothing")
    write_description(stage_description(FIRST, (FIRST,), MOLECULES), tmp_path / "first.json")
    with pytest.raises(FormatError, match=r"first\.safetensors\.state: is no safetensors file"):
        run(tmp_path, (FIRST,), n_processes=2)

    def kill(report):
        for child in new_children()[:1]:
            child.kill()

    long = dataclasses.replace(FIRST, training=dataclasses.replace(OPTIONS, epochs=10_000))
    with pytest.raises(SpecbridgeError, match=r"ended unexpectedly \(status -9\); it may have run out of memory"):
        run(tmp_path / "killed", (long,), n_processes=2, after_epoch=kill)
    assert new_children() == []


SCRIPT = """
import dataclasses, sys
sys.path.insert(0, sys.argv[1])
from test_networks import FIRST, OPTIONS, run

stage = dataclasses.replace(FIRST, training=dataclasses.replace(OPTIONS, epochs=1_000_000))
run(sys.argv[2], (stage,), n_processes=2)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_trains_on_without_its_parent(tmp_path, number):
    arguments = [sys.executable, "-c", SCRIPT, Path(__file__).parent, tmp_path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(arguments, env=environment) as process:
        deadline = time.monotonic() + 100
        while not (tmp_path / "first.safetensors.state").exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 2
        os.kill(process.pid, number)
        assert process.wait(timeout=20) == -number
        # a second, and some for a busy machine
        assert psutil.wait_procs(children, timeout=5)[1] == []
