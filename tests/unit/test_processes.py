"""Several processes that train one model: the same as one process, and the same again after a signal."""

import dataclasses
import multiprocessing
import os
import signal
import socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent / "bridge"))

from specbridge_tools.bridge.augmentation import Augmentation
from specbridge_tools.bridge.training import TrainingOptions
from specbridge_tools.device import pick_device
from specbridge_tools.errors import UsageError
from specbridge_tools.processes import open_processes

CALM = Augmentation(
    peak_dropout=0.0, intensity_jitter=0.0, mz_jitter_ppm=0.0, condition_dropout=0.0, precursor_jitter_ppm=0.0
)
OPTIONS = TrainingOptions(
    losses={"candidate": 1.0, "infonce": 0.5},
    epochs=3,
    batch_size=15,
    learning_rate=3e-3,
    n_decoys=9,
    augmentation=CALM,
)


def train_here(folder, options, *, resume=False):
    """Train in this process, as torchrun's environment says; the first writes weights and history."""
    from conftest import DIMENSION, TINY_DREAMS, synthetic_pairs

    from specbridge_tools.bridge.model import AlignedModel, ModelConfig
    from specbridge_tools.bridge.training import train
    from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS

    torch.set_num_threads(1)
    torch.manual_seed(0)
    encoder = SPECTRUM_ENCODERS.create(TINY_DREAMS + ",dropout=0")
    config = ModelConfig(
        encoder.describe(), "toy:dimension=8", "abc", DIMENSION, projector_hidden=16, projector_depth=1, dropout=0.0
    )
    model, pairs = AlignedModel(config, encoder), synthetic_pairs(20)
    with open_processes(torch.device("cpu")) as (processes, _):
        settings = {"checkpoint": folder / "checkpoint", "fingerprint": {}, "resume": resume, "processes": processes}
        history = train(model, pairs, pairs, options, **settings)
        if processes.is_first:
            torch.save(model.state_dict(), folder / "weights.pt")
            np.save(folder / "loss.npy", [row["train_loss"] for row in history])


def _child(rank, count, port, folder, options, resume):
    from specbridge_tools.interrupts import end_on_signals

    end_on_signals()
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    train_here(folder, options, resume=resume)


def start(count, folder, options, *, resume=False):
    folder.mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    children = [
        context.Process(target=_child, args=(rank, count, port, folder, options, resume)) for rank in range(count)
    ]
    for child in children:
        child.start()
    return children


def ended(children):
    for child in children:
        child.join(130)
    return [child.exitcode for child in children]


def weights(folder):
    return torch.load(folder / "weights.pt", weights_only=True)


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(tmp_path):
    assert ended(start(2, tmp_path / "two", OPTIONS)) == [0, 0]
    (tmp_path / "one").mkdir()
    train_here(tmp_path / "one", OPTIONS)
    np.testing.assert_allclose(np.load(tmp_path / "two/loss.npy"), np.load(tmp_path / "one/loss.npy"), rtol=1e-4)
    for name, tensor in weights(tmp_path / "one").items():
        torch.testing.assert_close(weights(tmp_path / "two")[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_two_processes_go_on_after_a_signal(tmp_path):
    options = dataclasses.replace(OPTIONS, augmentation=Augmentation(), epochs=20, batch_size=6)
    assert ended(start(2, tmp_path / "whole", options)) == [0, 0]
    children = start(2, tmp_path / "parts", options)
    end = time.monotonic() + 60
    while not (tmp_path / "parts/checkpoint").exists() and time.monotonic() < end:
        time.sleep(0.02)
    began = time.monotonic()
    for child in children:
        os.kill(child.pid, signal.SIGTERM)
    codes = ended(children)
    assert time.monotonic() - began < 5
    assert codes[0] != 0
    assert codes[1] != 0
    assert not (tmp_path / "parts/weights.pt").exists()
    assert ended(start(2, tmp_path / "parts", options, resume=True)) == [0, 0]
    np.testing.assert_array_equal(np.load(tmp_path / "whole/loss.npy"), np.load(tmp_path / "parts/loss.npy"))
    for name, tensor in weights(tmp_path / "whole").items():
        assert torch.equal(weights(tmp_path / "parts")[name], tensor), name


@pytest.fixture
def started(monkeypatch):
    """As process 1 of 2 of a machine with two GPUs that are not there; -> what torch is asked to do."""
    asked = []
    for name, value in (("WORLD_SIZE", "2"), ("RANK", "1"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    told = {"get_rank": 1, "get_world_size": 2, "barrier": None, "destroy_process_group": None}
    for name, value in told.items():
        monkeypatch.setattr(f"torch.distributed.{name}", lambda name=name, value=value: asked.append(name) or value)
    monkeypatch.setattr("torch.distributed.init_process_group", lambda backend, **_: asked.append(backend))
    monkeypatch.setattr("torch.cuda.set_device", lambda device: asked.append(str(device)))
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    return asked


def test_gpus_are_connected_by_nccl_each_process_with_its_own(started):
    with open_processes(pick_device("auto")) as (processes, device):
        assert str(device) == "cuda:1"
        assert (processes.rank, processes.world_size, processes.is_first) == (1, 2, False)
        assert started[:2] == ["cuda:1", "nccl"]
    assert started[-2:] == ["barrier", "destroy_process_group"]


def test_cpus_are_connected_by_gloo(started, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with open_processes(pick_device("auto")) as (_, device):
        assert device.type == "cpu"
        assert started[0] == "gloo"


def test_a_process_without_a_gpu_is_refused(started, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(UsageError, match="no GPU for process 1"), open_processes(pick_device("auto")):
        pass
    assert started == []
