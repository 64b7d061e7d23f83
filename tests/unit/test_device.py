"""Where torch computes, and what it says of slow precisions."""

import logging

import pytest
import torch

from specbridge_tools import device


@pytest.mark.parametrize(
    ("text", "fast"),
    [
        ("processor : 0\nflags\t\t: fpu avx2 avx512f avx512_bf16\n", True),
        ("flags\t\t: fpu amx_bf16 amx_tile\n", True),
        ("Features\t: fp asimd bf16\n", True),
        ("flags\t\t: fpu avx2 avx512f\n", False),
        ("nothing known\n", True),
    ],
)
def test_bfloat16_of_the_processor(tmp_path, text, fast):
    (tmp_path / "cpuinfo").write_text(text)
    assert device._cpu_has_bfloat16(tmp_path / "cpuinfo") is fast
    assert device._cpu_has_bfloat16(tmp_path / "none")


def test_slow_bfloat16_is_said_once_and_of_cpus_alone(monkeypatch, caplog):
    monkeypatch.setattr(device, "_cpu_has_bfloat16", lambda: False)
    device.warn_of_slow_bfloat16.cache_clear()
    with caplog.at_level(logging.WARNING):
        for name in ("cpu", "cpu", "cuda"):
            device.warn_of_slow_bfloat16(torch.device(name))
    device.warn_of_slow_bfloat16.cache_clear()
    assert [record.getMessage() for record in caplog.records] == [
        "this processor has no bfloat16 instructions and is several times slower with it; use float32"
    ]
