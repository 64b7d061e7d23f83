"""What all tests share: commands as real processes, and no network."""

import csv
import fcntl
import importlib
import importlib.util
import logging
import os
import signal
import socket
import subprocess
import sys
import types
from pathlib import Path

import hypothesis
import psutil
import pytest

# how long a case takes depends on what else the machine does
hypothesis.settings.register_profile("any_time", deadline=None)
hypothesis.settings.load_profile("any_time")
BIN = Path(sys.executable).parent
EXAMPLES = Path(__file__).parents[1] / "examples"
# tests of pipes call the commands by name
os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ['PATH']}"
# each test runs small arrays: pools of threads would only wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["MPLBACKEND"] = "Agg"
# a shell starts background jobs with SIGINT ignored, which every process below would inherit
signal.signal(signal.SIGINT, signal.default_int_handler)


NEEDED = {"graph": "hnswlib", "ivf": "faiss"}
MISSING = {mark: module for mark, module in NEEDED.items() if importlib.util.find_spec(module) is None}


def pytest_collection_modifyitems(items):
    for item in items:
        for mark, module in MISSING.items():
            if item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=f"{module} is not installed"))


def pytest_make_parametrize_id(val, argname):
    # packed bytes hold the second in which they were packed: two processes would collect different names
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A test that opens a connection to another machine fails."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test connects to {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


CSV_FIELD_LIMIT = csv.field_size_limit()  # before fixtures of a module or session read a table


@pytest.fixture(autouse=True)
def csv_field_limit():
    """Readers of tables raise the limit of the whole process: each test starts from the same one."""
    csv.field_size_limit(CSV_FIELD_LIMIT)


@pytest.fixture
def new_children():
    """A function that lists the processes which this one started in the test, those not waited for among them.

    Earlier tests may have left it others: what tracks the resources of multiprocessing stays to the end.
    """
    before = psutil.Process().children(recursive=True)
    return lambda: [child for child in psutil.Process().children(recursive=True) if child not in before]


@pytest.fixture
def run(tmp_path):
    """Run an installed command in a process of its own, in an empty folder: run("sb-info", "x.h5", stdin=b"...").

    Returns the `CompletedProcess`, with stdout and stderr as bytes. Without `status=None` the exit status must be the
    given one (0).
    """

    def run_command(name, *arguments, stdin=b"", status=0, cwd=tmp_path, **settings):
        done = subprocess.run(
            [str(BIN / name), *map(str, arguments)], input=stdin, capture_output=True, cwd=cwd, timeout=120, **settings
        )
        if status is not None:
            assert done.returncode == status, done.stderr.decode(errors="replace")
        return done

    return run_command


@pytest.fixture
def call(tmp_path, monkeypatch, capfdbinary):
    """Run a command in this very process, in the empty folder `tmp_path`: call("sb-info", "x.h5", status=1).

    Quick, for the many cases that need neither a pipe nor a signal. Returns what `run` does: stdout,
    stderr (bytes) and returncode, which must be the given status.
    """
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    before = root.handlers[:], root.level

    def call_command(name, *arguments, status=0):
        module = importlib.import_module(f"specbridge_tools.cli.{name.removeprefix('sb-').replace('-', '_')}")
        handler = signal.getsignal(signal.SIGTERM)
        capfdbinary.readouterr()
        try:
            with pytest.raises(SystemExit) as ended:
                module.main.main([str(argument) for argument in arguments], prog_name=name)
        finally:
            signal.signal(signal.SIGTERM, handler)
            root.handlers[:], root.level = before
        out, err = capfdbinary.readouterr()
        code = ended.value.code or 0
        assert code == status, err.decode(errors="replace")
        return types.SimpleNamespace(returncode=code, stdout=out, stderr=err)

    return call_command


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A folder that all processes of the run share: made_once("index", make); one of them calls make(folder)."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder

    def made(name, make):
        with open(shared / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (shared / name).exists():
                make(unfinished := tmp_path_factory.mktemp(name))
                unfinished.rename(shared / name)
        return shared / name

    return made


@pytest.fixture(scope="session")
def quickstart(made_once):
    """The folder that examples/quickstart.sh fills, by the commands of this environment; `stdout` is what it prints."""

    def make(folder):
        command = ["bash", str(EXAMPLES / "quickstart.sh"), str(folder)]
        environment = {**os.environ, "SPECBRIDGE_INSTALLED": "1", "SPECBRIDGE_HOME": str(folder / "home")}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
        assert done.returncode == 0, done.stderr
        (folder / "stdout").write_text(done.stdout)

    return made_once("quickstart", make)


_ROBERTA_LETTERS = "CNOFSPclnos()[]=#123456789+-@HBrI/\\"


@pytest.fixture(scope="session")
def roberta_folder(tmp_path_factory):
    """A SMILES language model in Hugging Face layout, tiny and random: it takes 24 tokens, which are single letters."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaModel

    folder = tmp_path_factory.mktemp("models") / "tiny-chemberta"
    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *dict.fromkeys(_ROBERTA_LETTERS)]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=64,
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=26,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    RobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder
