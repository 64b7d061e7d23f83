"""How many threads: affinity, then the quota of the control group."""

import os

import pytest

from specbridge_tools import threads


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("max 100000\n", None),
        ("200000 100000\n", 2),
        ("250000 100000\n", 2),
        ("50000 100000\n", 1),
        ("nonsense\n", None),
    ],
)
def test_quota_of_the_control_group(tmp_path, text, cores):
    path = tmp_path / "cpu.max"
    path.write_text(text)
    assert threads._cgroup_cores(path) == cores
    assert threads._cgroup_cores(tmp_path / "missing") is None


@pytest.mark.parametrize(("allowed", "quota", "count"), [(8, None, 8), (8, 2, 2), (2, 8, 2), (1, 1, 1)])
def test_the_smaller_of_affinity_and_quota(monkeypatch, allowed, quota, count):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(allowed)), raising=False)
    monkeypatch.setattr(threads, "_cgroup_cores", lambda path: quota)
    assert threads.available_threads() == count


def test_use_threads_sets_torch():
    import torch

    before = torch.get_num_threads()
    try:
        assert threads.use_threads(1) == 1
        assert torch.get_num_threads() == 1
        assert threads.use_threads(None) == threads.available_threads()
    finally:
        torch.set_num_threads(before)
