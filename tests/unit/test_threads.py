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
    (tmp_path / "cpu.max").write_text(text)
    assert threads._cgroup_cores(tmp_path) == cores
    assert threads._cgroup_cores(tmp_path / "missing") is None


@pytest.mark.parametrize(("quota", "cores"), [("-1", None), ("300000", 3)])
def test_quota_of_the_first_version(tmp_path, quota, cores):
    (tmp_path / "cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu.cfs_period_us").write_text("100000\n")
    assert threads._cgroup_cores(tmp_path) == cores


def test_groups_above_count_too(tmp_path):
    (tmp_path / "membership").write_text("5:memory:/elsewhere\n4:cpu,cpuacct:/job/step\n0::/slurm/job_7\n")
    found = threads._cgroup_folders(tmp_path, tmp_path / "membership")
    names = ["cpu,cpuacct/job/step", "cpu,cpuacct/job", "cpu,cpuacct", "slurm/job_7", "slurm", "", ""]
    assert found == [tmp_path / name for name in names]
    assert threads._cgroup_folders(tmp_path, tmp_path / "missing") == [tmp_path]


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
