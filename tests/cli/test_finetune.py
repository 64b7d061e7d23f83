"""sb-finetune as a process: train tiny, kill, resume, refuse."""

import json
import os
import signal
import subprocess
import sys
import time

import click
import pytest
from safetensors import safe_open

SMILES = {
    "ethanol": "CCO", "propanol": "CCCO", "isopropanol": "CC(C)O", "butanol": "CCCCO", "isobutanol": "CC(C)CO",
    "glycine": "NCC(=O)O", "alanine": "CC(N)C(=O)O", "sarcosine": "CNCC(=O)O", "benzene": "c1ccccc1",
    "toluene": "Cc1ccccc1", "phenol": "Oc1ccccc1", "aniline": "Nc1ccccc1",
}  # fmt: skip
TRAINING = ("ethanol", "propanol", "butanol", "glycine", "alanine", "benzene", "toluene", "aniline")
VALIDATION = ("isopropanol", "isobutanol", "sarcosine", "phenol")
SMALL = "dreams:d_peak=8,d_fourier=24,n_heads=2,fourier_hidden=16,n_layers=1,n_peaks=8,mass_tokens=50"


def run(command, *arguments, **settings):
    program = os.path.join(os.path.dirname(sys.executable), command)
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=120, **settings)


def write_mgf(path, names, extra=""):
    records = []
    for i, name in enumerate(names):
        peaks = "\n".join(f"{40 + 7 * i + 11 * j}.05 {100 - 10 * j}" for j in range(4))
        fields = f"TITLE={name}\nPEPMASS={150 + i}.1\nADDUCT=[M+H]+\nCHARGE=1+\nSMILES={SMILES[name]}"
        records.append(f"BEGIN IONS\n{fields}\n{peaks}\nEND IONS\n")
    path.write_text("\n".join(records) + extra)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finetune")
    table = folder / "molecules.tsv"
    table.write_text("id\tsmiles\n" + "".join(f"{name}\t{smiles}\n" for name, smiles in SMILES.items()))
    done = run("sb-embed-mols", table, "-o", folder / "molecules.h5", "--encoder", "toy")
    assert done.returncode == 0, done.stderr
    write_mgf(folder / "train.mgf", TRAINING)
    write_mgf(folder / "val.mgf", VALIDATION)
    return folder


def arguments(files, output, *extra):
    return (
        files / "train.mgf", "--validation", files / "val.mgf", "--molecules", files / "molecules.h5", "-o", output,
        "--spectral-encoder", SMALL, "--projector-hidden", 16, "--epochs", 3, "--batch-size", 4,
        "--tolerance", "1e6ppm", "--threads", 1, "--device", "cpu", *extra,
    )  # fmt: skip


def header(path):
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["specbridge"])


@pytest.mark.slow
def test_trains_and_tells_what_it_did(files, tmp_path):
    output, history, plot = tmp_path / "m.safetensors", tmp_path / "h.tsv", tmp_path / "curve.png"
    done = run("sb-finetune", *arguments(files, output, "--history", history, "--plot", plot))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0].endswith("training: 8 spectra of 8 molecules")
    assert lines[1].endswith("validation: 4 spectra of 4 molecules")
    assert sum("train_loss" in line for line in lines) == 3
    assert lines[-1].startswith("12 spectra read, 0 rejected, 12 written, ")
    assert "\x1b" not in done.stderr
    rows = [line.split("\t") for line in history.read_text().splitlines()]
    assert rows[0][:3] == ["epoch", "train_loss", "recall@1"]
    assert [row[0] for row in rows[1:]] == ["1", "2", "3"]
    assert plot.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert sorted(os.listdir(tmp_path)) == ["curve.png", "h.tsv", "m.safetensors"]
    info = header(output)
    assert info["config"]["molecule_encoder"].startswith("toy")
    assert info["training"]["training_molecules"] == 8
    assert len(info["training"]["validation_keys"]) == 4
    assert info["training"]["pairs"] == {"tolerance_ppm": 1e6, "max_decoys": 256, "input_format": "auto"}


@pytest.mark.slow
def test_without_validation_the_last_epoch_is_kept_and_nothing_is_calibrated(files, tmp_path):
    both = [*arguments(files, tmp_path / "m", "--history", tmp_path / "h.tsv", "--plot", tmp_path / "curve.png")]
    del both[1:3]
    done = run("sb-finetune", *both, files / "val.mgf")
    assert done.returncode == 0, done.stderr
    assert "training: 12 spectra of 12 molecules" in done.stderr
    assert "validation" not in done.stderr
    info = header(tmp_path / "m")
    assert info["calibration"] is None
    assert info["training"]["best"]["epoch"] == 3
    assert info["training"]["validation_keys"] == []
    rows = [line.split("\t") for line in (tmp_path / "h.tsv").read_text().splitlines()]
    assert [row[2:6] for row in rows[1:]] == [[""] * 4] * 3
    assert len({row[1] for row in rows[1:]}) == 3
    # the last one, whatever its number
    one = run("sb-finetune", *both, files / "val.mgf", "--epochs", 1, "--force")
    assert one.returncode == 0, one.stderr
    assert header(tmp_path / "m")["training"]["best"]["epoch"] == 1


@pytest.mark.slow
def test_a_new_model_has_the_encoder_of_the_one_that_ships(files, tmp_path):
    base = list(arguments(files, tmp_path / "m", "--epochs", 1, "--tolerance", "0.5Da"))
    at = base.index("--spectral-encoder")
    del base[at : at + 2]
    done = run("sb-finetune", *base)
    assert done.returncode == 0, done.stderr
    info = header(tmp_path / "m")
    assert info["config"]["encoder"]["name"] == "massbins"
    assert info["training"]["pairs"] == {"tolerance_da": 0.5, "max_decoys": 256, "input_format": "auto"}


@pytest.mark.slow
def test_same_seed_same_file_and_a_pipe(files, tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    assert run("sb-finetune", *arguments(files, first)).returncode == 0
    program = os.path.join(os.path.dirname(sys.executable), "sb-finetune")
    command = [program, *map(str, arguments(files, "-", "--checkpoint", tmp_path / "c"))]
    piped = subprocess.run(command, capture_output=True, timeout=120)
    assert piped.returncode == 0, piped.stderr
    second.write_bytes(piped.stdout)
    with safe_open(first, "pt") as one, safe_open(second, "pt") as other:
        assert all((one.get_tensor(name) == other.get_tensor(name)).all() for name in one.keys())  # noqa: SIM118


@pytest.mark.slow
def test_killed_and_resumed_gives_the_same_weights(files, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run("sb-finetune", *arguments(files, whole, "--epochs", 60)).returncode == 0
    program = os.path.join(os.path.dirname(sys.executable), "sb-finetune")
    command = [program, *map(str, arguments(files, parts, "--epochs", 60))]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    checkpoint = tmp_path / "parts.checkpoint"
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not parts.exists()
    assert checkpoint.exists()
    done = run("sb-finetune", *arguments(files, parts, "--epochs", 60, "--resume"))
    assert done.returncode == 0, done.stderr
    assert "going on after epoch" in done.stderr
    assert not checkpoint.exists()
    with safe_open(whole, "pt") as one, safe_open(parts, "pt") as other:
        for name in one.keys():  # noqa: SIM118
            assert (one.get_tensor(name) == other.get_tensor(name)).all(), name


@pytest.mark.slow
def test_a_molecule_in_both_parts_is_refused(files, tmp_path):
    # the salt of a training molecule is that molecule
    shared = write_mgf(tmp_path / "val.mgf", VALIDATION)
    shared.write_text(shared.read_text().replace(SMILES["sarcosine"], "[Cl-].[NH3+]CC(=O)O"))
    done = run("sb-finetune", *arguments(files, tmp_path / "m", "--validation", shared))
    assert done.returncode == 3
    assert "1 molecules are in training and validation, e.g. DHMQDGOQFOQNFH" in done.stderr
    assert not (tmp_path / "m").exists()


@pytest.mark.slow
def test_spectra_without_a_molecule_are_counted_and_listed(files, tmp_path):
    extra = "BEGIN IONS\nTITLE=nameless\nPEPMASS=99.1\n50 1\nEND IONS\n"
    extra += "BEGIN IONS\nTITLE=stranger\nPEPMASS=99.1\nSMILES=CCCCCCCCN\n50 1\nEND IONS\n"
    spectra = write_mgf(tmp_path / "train.mgf", TRAINING, extra)
    rejects = tmp_path / "rejects.tsv"
    base = arguments(files, tmp_path / "m", "--rejects", rejects, "--epochs", 1)
    done = run("sb-finetune", spectra, *base[1:])
    assert done.returncode == 0, done.stderr
    tally = "14 spectra read, 2 rejected (1 no structure, 1 molecule not among the embeddings), 12 written"
    assert tally in done.stderr
    rows = [line.split("\t") for line in rejects.read_text().splitlines()[1:]]
    assert [(row[1], row[3], row[4]) for row in rows] == [
        ("9", "nameless", "no structure"),
        ("10", "stranger", "molecule not among the embeddings"),
    ]
    strict = run("sb-finetune", spectra, *base[1:], "--strict", "--force")
    assert strict.returncode == 1
    assert "train.mgf: line" in strict.stderr
    assert "no structure" in strict.stderr


@pytest.mark.slow
def test_a_model_is_trained_further(files, tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    assert run("sb-finetune", *arguments(files, first, "--molecule-head-depth", 1)).returncode == 0
    done = run("sb-finetune", *arguments(files, second, "--start-from", first, "--train", "molecule-head"))
    assert done.returncode == 0, done.stderr
    with safe_open(first, "pt") as one, safe_open(second, "pt") as other:
        changed = {
            name.split(".")[0]
            for name in one.keys()  # noqa: SIM118
            if not (one.get_tensor(name) == other.get_tensor(name)).all()
        }
    assert "molecule_head" in changed
    assert "projector" not in changed


@pytest.fixture
def checkpoint(tmp_path):
    """A self-supervised DreaMS in the published layout, tiny and random."""
    import torch

    from specbridge_tools.encoders.spectral.dreams.network import DreamsConfig, DreamsNetwork

    torch.manual_seed(0)
    sizes = {"d_peak": 8, "d_fourier": 24, "fourier_hidden": 16, "fourier_depth": 2, "n_layers": 3}
    state = DreamsNetwork(DreamsConfig.official(**sizes)).state_dict()
    torch.save({"state_dict": state}, tmp_path / "ssl_model.ckpt")
    return tmp_path / "ssl_model.ckpt"


def with_weights(files, output, checkpoint, *extra):
    return (
        files / "train.mgf", "--validation", files / "val.mgf", "--molecules", files / "molecules.h5", "-o", output,
        "--spectral-encoder", f"dreams:{checkpoint}", "--projector-hidden", 16, "--epochs", 1,
        "--tolerance", "1e6ppm", "--threads", 1, "--device", "cpu", *extra,
    )  # fmt: skip


@pytest.mark.slow
def test_the_published_preset_and_what_overrides_it(files, tmp_path, checkpoint):
    output = tmp_path / "m.safetensors"
    extra = ("--preset", "specbridge", "--batch-size", 4, "--cache-features", tmp_path / "kept")
    done = run("sb-finetune", *with_weights(files, output, checkpoint, *extra))
    assert done.returncode == 0, done.stderr
    assert len(os.listdir(tmp_path / "kept")) == 1
    assert " M parameters learn" in done.stderr
    info = header(output)
    config, options = info["config"], info["training"]["options"]
    assert (config["projector"], config["projector_hidden"], config["projector_depth"]) == ("published", 16, 8)
    assert (config["encoder"]["pooling"], config["encoder"]["n_peaks"]) == ("mean", 60)
    assert options["losses"] == {"mse": 1.0}
    assert (options["learning_rate"], options["unfrozen_blocks"], options["batch_size"]) == (1e-4, 2, 4)
    assert set(options["augmentation"].values()) == {0.0}
    run_without = run("sb-finetune", *arguments(files, tmp_path / "n", "--preset", "default"))
    assert run_without.returncode == 0, run_without.stderr
    assert header(tmp_path / "n")["config"]["projector"] == "residual"


@pytest.mark.parametrize(
    ("given", "encoder"),
    [
        ((), "massbins"),
        (("--preset", "specbridge"), "dreams:dreams-ssl,pooling=mean"),
        (("--preset", "specbridge", "--spectral-encoder", "toy"), "toy"),
        (("--preset", "specbridge", "--spectral-encoder", "dreams:x,pooling=token"), "dreams:x,pooling=token"),
    ],
)
def test_the_encoder_of_a_preset(given, encoder):
    import torch

    from specbridge_tools.cli.finetune import main
    from specbridge_tools.cli.finetune_options import training_options, typed_options
    from specbridge_tools.spectra.reading import DEFAULT_READING

    @click.command()
    @training_options
    def ask(**values):
        return typed_options(values, reading=DEFAULT_READING, device=torch.device("cpu"))[0].spectral_encoder

    assert ask.main(list(given), standalone_mode=False) == encoder
    assert {param.name for param in ask.params} < {param.name for param in main.params}


@pytest.mark.slow
def test_low_rank_models_need_their_base(files, tmp_path, checkpoint):
    output = tmp_path / "m.safetensors"
    extra = ("--lora-rank", 2, "--gradient-checkpointing")
    done = run("sb-finetune", *with_weights(files, output, checkpoint, *extra))
    assert done.returncode == 0, done.stderr
    embed = ("sb-embed-spectra", files / "val.mgf", "--model", output, "-o")
    assert run(*embed, tmp_path / "one.h5").returncode == 0
    again = run("sb-finetune", *with_weights(files, tmp_path / "n", checkpoint, "--start-from", output))
    assert again.returncode == 0, again.stderr
    checkpoint.unlink()
    done = run(*embed, tmp_path / "two.h5", env={**os.environ, "SPECBRIDGE_HOME": str(tmp_path)})
    assert done.returncode == 3, done.stderr
    assert "ssl_model.ckpt: the model is a change of weights" in done.stderr
    assert not (tmp_path / "two.h5").exists()


@pytest.mark.parametrize(
    ("extra", "status", "message"),
    [
        (("--loss", "hinge=1"), 2, "unknown loss 'hinge'"),
        (("--tolerance", "10"), 2, "tolerance '10'; write it like 10ppm or 0.005Da"),
        (("--loss", "mse=much"), 2, "the weight is not a number"),
        (("--spectral-encoder", "nothing"), 2, "no spectral encoder 'nothing'"),
        (("--spectral-encoder", "toy:size=3"), 2, "unknown encoder option 'size=3'"),
        (("--spectral-encoder", "dreams:nothing.ckpt"), 1, "nothing.ckpt: no such file"),
        (("--cache-features", "kept"), 2, "augmented spectra differ in every epoch"),
        (("--lora-rank", "4"), 2, "needs weights to start from"),
        (("--spectral-encoder", "toy", "--lora-rank", "4"), 2, "toy has no weights"),
        (("--device", "cuda:99"), 2, "device 'cuda:99' cannot be used here"),
        (("--molecules", "nothing.h5"), 1, "nothing.h5"),
        (("--validation", "nothing.mgf"), 1, "nothing.mgf"),
        (("--start-from", __file__), 1, "is no safetensors file"),
    ],
)
def test_wrong_use_ends_in_one_line(call, files, tmp_path, extra, status, message):
    done = call("sb-finetune", *arguments(files, tmp_path / "m", *extra), status=status)
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_embeddings_of_another_encoder_are_refused(files, tmp_path):
    assert run("sb-finetune", *arguments(files, tmp_path / "m", "--epochs", 1)).returncode == 0
    other = tmp_path / "other.h5"
    assert run("sb-embed-mols", files / "molecules.tsv", "-o", other, "--encoder", "toy:dimension=16").returncode == 0
    done = run("sb-finetune", *arguments(files, tmp_path / "n", "--start-from", tmp_path / "m", "--molecules", other))
    assert done.returncode == 3
    assert "toy:dimension=16" in done.stderr
    assert "toy:dimension=32" in done.stderr


def test_an_output_that_exists_is_refused(call, files, tmp_path):
    output = tmp_path / "m"
    output.write_text("mine")
    done = call("sb-finetune", *arguments(files, output), status=2)
    assert b"exists already; --force replaces it" in done.stderr
    assert output.read_text() == "mine"
