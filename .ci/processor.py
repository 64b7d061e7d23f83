"""Print the processor, the kernels that numpy and torch chose for it, and what the environment says about them."""

import os
import platform
from pathlib import Path

import numpy
import threadpoolctl
import torch

INFO = Path("/proc/cpuinfo")
names = {line.split(":")[1].strip() for line in INFO.read_text().splitlines() if line.startswith("model name")}
print("processor:", ", ".join(sorted(names)) or platform.processor())
print("kernels of torch:", torch.backends.cpu.get_cpu_capability())
for pool in threadpoolctl.threadpool_info():
    print("library:", pool["internal_api"], pool.get("version"), pool.get("architecture", ""), pool["num_threads"])
chosen = {name: value for name, value in os.environ.items() if name.startswith(("OPENBLAS", "MKL", "OMP", "ATEN"))}
print("environment:", " ".join(f"{name}={value}" for name, value in sorted(chosen.items())) or "nothing set")
print("numpy", numpy.__version__, "torch", torch.__version__)
