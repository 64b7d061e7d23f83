import os
import random
import signal
import subprocess
import sys
import time

import pytest
from small_library import N_MOLECULES

from specbridge_tools.bridge.checkpoint import load_model, save_model
from specbridge_tools.bridge.model import AlignedModel, ModelConfig
from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder
from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.library import store
from specbridge_tools.library.build import Target
from specbridge_tools.search.index.reader import open_index

PROCESS = """
import logging, pathlib, sys
from specbridge_tools import pretrained
pretrained.LIBRARY = pathlib.Path(sys.argv[1])
logging.basicConfig(level=logging.INFO)
from specbridge_tools.library.store import library_index
print(library_index())
"""

HOLDER = """
import fcntl, sys, time
with open(sys.argv[1], "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    print("held", flush=True)
    time.sleep(100)
"""


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def start(library, home):
    environment = {**os.environ, "SPECBRIDGE_HOME": str(home)}
    command = [sys.executable, "-c", PROCESS, str(library)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def forbidden(*_, **__):
    raise AssertionError("the index is built although it is there")


def test_the_first_use_builds_and_the_next_one_opens(shipped, tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    path = store.library_index()
    assert path.parent == tmp_path / "home" / "library"
    assert files(path.parent) == [f".{path.name}.lock", path.name]
    assert f"building the index of the {N_MOLECULES} molecules that ship, once: {path}" in caplog.text
    monkeypatch.setattr(store, "build_library", forbidden)
    assert store.library_index() == path
    with open_index(path) as index:
        assert index.n == N_MOLECULES


def test_a_shared_store_is_looked_at_first_and_only_read(shipped, tmp_path, monkeypatch):
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "shared"))
    shared = store.library_index()
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "home"))
    own = store.library_index()
    assert own.parents[1] == tmp_path / "home"
    before = files(shared.parent)
    monkeypatch.setenv("SPECBRIDGE_SHARED", f"{tmp_path / 'absent'}:{tmp_path / 'shared'}")
    monkeypatch.setattr(store, "build_library", forbidden)
    assert store.library_index() == shared
    assert files(shared.parent) == before


@pytest.mark.parametrize("damage", ["cut", "other", "empty"])
def test_a_damaged_index_is_built_again(damage, shipped, caplog):
    path = store.library_index()
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[: len(whole) // 2], "other": b"no HDF5 at all" * 100, "empty": b""}[damage])
    assert store.library_index() == path
    assert path.read_bytes() == whole
    assert f"{path} cannot be used: " in caplog.text


def test_an_index_of_other_molecules_under_its_name_is_built_again(shipped, small, tmp_path, monkeypatch, caplog):
    path = store.library_index()
    encoder = ToyMoleculeEncoder(dimension=8)
    whole = path.read_bytes()
    target = Target("toy", encoder.name, encoder.weights_sha256)
    store.write_index(store.library_facts(), path, target, making=store.Making(threads=1), force=True)
    assert store.library_index().read_bytes() == whole
    assert f"{path} cannot be used: is of another library or model" in caplog.text


def test_another_library_and_another_encoder_have_other_names(shipped):
    facts = store.library_facts()
    targets = [Target("a", "morgan:fitted", "1"), Target("a", "morgan:fitted", "2"), Target("a", "toy", "1")]
    targets.append(Target("a", "morgan:fitted", "1", "head"))
    names = {store.index_name(facts, target) for target in targets}
    assert len(names) == 4
    assert store.index_name(facts, Target("another name", "morgan:fitted", "1")) in names


def toy_model(**settings):
    encoder = ToyMoleculeEncoder(dimension=8)
    config = ModelConfig(
        encoder={"name": "toy", "dimension": 8}, molecule_encoder=encoder.name,
        molecule_encoder_sha256=encoder.weights_sha256, dimension=8, projector_hidden=8, projector_depth=1, **settings,
    )  # fmt: skip
    return AlignedModel(config)


def test_a_model_of_another_encoder_has_an_index_of_its_own(shipped):
    default, own = store.library_index(), store.library_index(toy_model())
    assert default != own
    with open_index(own) as index:
        assert (index.space.encoder, index.n) == (toy_model().molecule_encoder, N_MOLECULES)


def test_a_model_with_a_head_has_an_index_of_its_own(shipped, tmp_path):
    save_model(toy_model(molecule_head_depth=1), tmp_path / "model.safetensors")
    model = load_model(tmp_path / "model.safetensors")
    assert store.library_index(model) == store.library_index(tmp_path / "model.safetensors")
    with open_index(store.library_index(model)) as index:
        assert index.space.molecule_head_sha256 == model.molecule_head_sha256 != ""


def test_an_encoder_that_is_not_found_is_an_error(shipped):
    with pytest.raises(UsageError, match=r"encoder lost of model a was not found; --encoder says where it is"):
        store.write_index(store.library_facts(), "x.h5", Target("a", "lost", "1"))


@pytest.mark.parametrize("kind", ["a file", "read-only"])
def test_a_folder_that_cannot_be_written_is_one_line_with_what_to_do(kind, shipped, tmp_path, monkeypatch):
    home = tmp_path / "locked"
    if kind == "a file":
        home.write_text("")
    else:
        if os.geteuid() == 0:
            pytest.skip("root may write everywhere")
        home.mkdir(mode=0o500)
    monkeypatch.setenv("SPECBRIDGE_HOME", str(home))
    with pytest.raises(DataError) as raised:
        store.library_index()
    text = str(raised.value)
    assert text.startswith(f"{home}/library: the index of the library cannot be written there (")
    assert "SPECBRIDGE_HOME" in text
    assert "`sb-library build -o FILE`" in text
    assert "--index" in text


def test_a_missing_library_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(store.pretrained, "LIBRARY", tmp_path / "absent.safetensors")
    with pytest.raises(DataError, match="is missing; install the package again, or give --index"):
        store.library_facts()


@pytest.mark.slow
def test_a_held_lock_is_waited_for(small, tmp_path):
    home = tmp_path / "home"
    (home / "library").mkdir(parents=True)
    finished = start(small, home)
    path = finished.communicate(timeout=120)[0].strip()
    os.unlink(path)
    lock = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.lock")
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, lock], stdout=subprocess.PIPE)
    holder.stdout.readline()
    waiting = start(small, home)
    line = ""
    while "waiting" not in line:
        line = waiting.stderr.readline()
        assert line
    assert f"waiting for another process, which builds {path}" in line
    assert not os.path.exists(path)
    holder.kill()
    holder.communicate()
    assert waiting.communicate(timeout=120)[0].strip() == path
    assert waiting.returncode == 0


@pytest.mark.slow
def test_of_twenty_processes_one_builds(small, tmp_path):
    started = [start(small, tmp_path / "home") for _ in range(20)]
    done = [process.communicate(timeout=280) for process in started]
    assert [process.returncode for process in started] == [0] * 20
    paths = {out.strip() for out, _ in done}
    assert len(paths) == 1
    assert sum("building the index" in err for _, err in done) == 1
    with open_index(paths.pop()) as index:
        assert index.n == N_MOLECULES


@pytest.mark.slow
def test_a_killed_build_begins_anew(small, tmp_path):
    home, chance = tmp_path / "home", random.Random(1)
    seen = set()
    for _ in range(12):
        process = start(small, home)
        time.sleep(chance.uniform(0.2, 2.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if (home / "library").is_dir():
            for path in (home / "library").glob("*.h5"):
                with open_index(path) as index:  # what has its name is whole
                    assert index.n == N_MOLECULES
                seen.add("whole")
                path.unlink()
    last = start(small, home)
    path = last.communicate(timeout=120)[0].strip()
    with open_index(path) as index:
        assert index.n == N_MOLECULES
    assert files(home / "library") == [f".{os.path.basename(path)}.lock", os.path.basename(path)]
