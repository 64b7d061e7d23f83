"""Commands that start worker processes import nothing from the current folder, whatever lies there."""

import pytest

from specbridge_tools.fragmentation.fragments.fragmenter import CAPACITY, COST_LIMIT
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.ranker_file import add_ranker
from specbridge_tools.fragmentation.network.torch_network import TrainableNetwork

# what an interpreter, a worker or a library imports early or late
NAMES = ("ctypes", "json", "logging", "multiprocessing", "numpy", "pickle", "queue", "random", "rdkit", "scipy")
NAMES += ("selectors", "site", "socket", "specbridge_tools", "struct", "subprocess", "tempfile", "threading", "typing")
SPECTRA = """BEGIN IONS
TITLE={}
PEPMASS=152.0706
ADDUCT=[M+H]+
65.0386 10
110.0600 100
END IONS

"""
# more structures than are standardised without workers
MOLECULES = [f"{'C' * (i % 12 + 1)}C(=O)N{'C' * (i // 12 % 12)}c1ccc(O)cc1{'CO' * (i // 144)}" for i in range(1100)]


@pytest.fixture
def hostile(tmp_path):
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in NAMES:
        log = str(tmp_path / "imported")
        (folder / f"{name}.py").write_text(f"open({log!r}, 'a').write({name!r})\nraise ImportError('hostile')\n")
    (folder / "spectra.mgf").write_text("".join(SPECTRA.format(i) for i in range(300)))  # enough for workers to start
    (folder / "molecules.smi").write_text("\n".join(MOLECULES) + "\n")
    return folder


@pytest.mark.slow
def test_workers_import_nothing_from_a_hostile_folder(hostile, run, save_toy_model):
    save_toy_model(hostile / "toy.safetensors")
    config = {"capacity": CAPACITY, "limit": COST_LIMIT, "cosine_weight": 1.0, "fragment_weight": 1.0}
    add_ranker(
        Ranker([TrainableNetwork().weights()], config), hostile / "toy.safetensors", hostile / "model.safetensors"
    )

    def run_there(name, *arguments):
        return run(name, *arguments, "--threads", 2, cwd=hostile)

    run_there("sb-embed-mols", "molecules.smi", "--encoder", "toy", "-o", "molecules.h5")
    run("sb-build-index", "molecules.h5", "-o", "index.h5", cwd=hostile)
    query = ("sb-query", "spectra.mgf", "--index", "index.h5", "--model", "model.safetensors")
    in_one_step = run_there(*query).stdout
    run_there(*query, "--rerank", 0, "-o", "hits.tsv")
    in_two_steps = run_there("sb-rerank", "hits.tsv", "--spectra", "spectra.mgf", "--model", "model.safetensors").stdout
    assert in_one_step == in_two_steps
    assert in_one_step.count(b"\n") > 300
    assert not (hostile.parent / "imported").exists()
