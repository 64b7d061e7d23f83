"""What a whole query costs, and what each kind of evidence has of it.

    python tests/benchmarks/query.py SPECTRA [--index I.h5] [--threads N] [--runs N] [OPTIONS OF sb-query]

Runs `sb-query --top 0` on an MGF file with everything on, with `--reference none` and with `--rerank 0`, and on the
first spectrum alone. Prints TSV: what, spectra, clock and CPU seconds, spectra a second, MiB of it and its processes at
most (shared pages counted once); and which share of the CPU time the reference spectra have, opening them included.
The best of several runs counts, by CPU time.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import psutil

CODE = "from specbridge_tools.cli.query import main; main()"
WAYS = {"all evidence": (), "without reference spectra": ("--reference", "none"), "by cosine alone": ("--rerank", "0")}


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def memory_of(process):
    """MiB of a process and those below it; 0 where they are gone."""
    try:
        return sum(each.memory_full_info().pss for each in [process, *process.children(recursive=True)]) / 2**20
    except psutil.Error:
        return 0.0


def run(spectra, options):
    """Clock seconds, CPU seconds and MiB of one query."""
    command = [sys.executable, "-c", CODE, str(spectra), "--top", "0", "-q", "-o", os.devnull, "--force", *options]
    before, started, memory = cpu_seconds(), time.perf_counter(), 0.0
    process = psutil.Popen(command)
    while process.poll() is None:
        memory = max(memory, memory_of(process))
        time.sleep(0.1)
    if process.returncode != 0:
        raise SystemExit(f"sb-query ended with status {process.returncode}")
    return time.perf_counter() - started, cpu_seconds() - before, memory


def best_run(spectra, options, n_runs):
    return min((run(spectra, options) for _ in range(n_runs)), key=lambda figures: figures[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spectra", type=Path, help="MGF, plain")
    parser.add_argument("--index")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--runs", type=int, default=2)
    arguments, others = parser.parse_known_args()
    options = [*(["--index", arguments.index] if arguments.index else []), "--threads", arguments.threads, *others]
    records = arguments.spectra.read_text(encoding="utf-8").split("END IONS\n")[:-1]
    print("what", "spectra", "clock (s)", "CPU (s)", "spectra/s", "memory (MiB)", sep="\t", flush=True)
    cpu = {}
    with tempfile.TemporaryDirectory() as folder:
        one = Path(folder) / "one.mgf"
        one.write_text(records[0] + "END IONS\n", encoding="utf-8")
        ways = {"all evidence, one spectrum": (one, (), 1)}
        ways |= {what: (arguments.spectra, more, len(records)) for what, more in WAYS.items()}
        for what, (spectra, more, n) in ways.items():
            clock, cpu[what], memory = best_run(spectra, [*options, *more], arguments.runs)
            print(
                what, n, f"{clock:.1f}", f"{cpu[what]:.1f}", f"{n / clock:.1f}", f"{memory:.0f}", sep="\t", flush=True
            )
    everything, without, _ = (cpu[what] for what in WAYS)
    print(f"reference spectra have {100 * (1 - without / everything):.0f} % of the CPU time")


if __name__ == "__main__":
    main()
