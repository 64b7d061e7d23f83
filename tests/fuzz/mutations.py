"""Run commands on changed files: python tests/fuzz/mutations.py --format hdf5 --cases 500 --seed 0

Small valid files of a format are changed by chance, and commands that read such files are run on them, each in a forked
child with 10 s of CPU time and 1 GB of memory. A case is a finding where a command crashes, does not end in its limits,
shows a traceback or a warning of Python, fails without saying so in a line, shows what another file holds, or ends with
status 0 although records are lost. Findings are printed, one a line, and with --keep FOLDER their files are kept there
together with the command; --only N runs one case again. The status is 1 where there is a finding.

A format is a module beside this one with a `FORMAT` (`fuzz.cases.Format`), and a name in `FORMATS`.
"""

import argparse
import collections
import importlib
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
FORMATS = (
    "ckpt", "hdf5", "tensors",
    "mgf", "msp", "mzml", "mzxml", "mzmlb", "mzspeclib", "libraries",
    "tables", "smiles", "sdf", "candidates", "hits", "convert",
)  # fmt: skip
_WARNING = re.compile(rb"^\S+\.py:\d+: \w*Warning: ", re.M)
_ERROR = re.compile(rb"^(sb-[a-z-]+: .*error: .+|Error: .+|Usage: .+)$", re.M)


def finding(case, outcome, folder, form) -> str:
    """What is wrong with how a case ended, '' for nothing."""
    from fuzz.cases import SECRET

    error = outcome.stderr.decode(errors="replace").strip()
    if outcome.stopped:
        return "did not end"
    if outcome.status < 0:
        return f"was ended by signal {-outcome.status}"
    if "Traceback (most recent call last)" in error:
        return f"traceback: {error.splitlines()[-1]}"
    if "out of memory" in error:
        return f"memory: {error}"
    if _WARNING.search(outcome.stderr):
        return f"warning: {error}"
    if outcome.status and not _ERROR.search(outcome.stderr):
        return f"status {outcome.status} without a message: {error}"
    if outcome.status and len(error.splitlines()) > 3:
        return f"many lines: {error[:300]}"
    written = [path for path in folder.iterdir() if path.is_file() and path.name not in ("changed", "secret")]
    if any(SECRET[:12] in path.read_bytes() for path in written):
        return "shows what another file holds"
    return "" if outcome.status else form.lost(case, outcome, folder)


def cases(form, seeds: Path, seed: str, numbers: Sequence[int]) -> Iterator[tuple[int, object]]:
    """(number, case) of each number; a case depends on its number and the seed alone."""
    from fuzz.cases import Case

    commands = form.make_seeds(seeds)
    contents = {name: (seeds / name).read_bytes() for name in commands}
    for number in numbers:
        rng = random.Random(f"{seed}-{number}")
        name = rng.choice(list(commands))
        arguments = rng.choice(list(commands[name]))
        yield number, Case(arguments, name, rng.choice(form.mutators)(contents[name], rng))


def run_format(name: str, numbers: Sequence[int], seed: str, keep: Path | None = None) -> Iterator[tuple[int, str]]:
    """Run the cases of a format; yields (number, finding), '' for none."""
    from fuzz.cases import SECRET
    from fuzz.limits import run_command

    form = importlib.import_module(f"fuzz.{name}").FORMAT
    for module in form.modules:
        importlib.import_module(module)
    with tempfile.TemporaryDirectory() as temporary:
        seeds, folder = Path(temporary, "seeds"), Path(temporary, "run")
        seeds.mkdir()
        (seeds / "secret").write_bytes(SECRET)
        for number, case in cases(form, seeds, f"{seed}-{name}", numbers):
            folder.mkdir()
            (folder / "changed").write_bytes(case.content)
            (folder / "secret").symlink_to(seeds / "secret")
            arguments = [word.replace("{file}", "changed").replace("{seeds}", str(seeds)) for word in case.arguments]
            outcome = run_command(arguments, folder)
            problem = finding(case, outcome, folder, form)
            if problem and keep is not None:
                kept = keep / f"{name}-{seed}-{number}"
                kept.write_bytes(case.content)
                kept.with_suffix(".command").write_text(" ".join(case.arguments) + "\n")
                kept.with_suffix(".stderr").write_bytes(outcome.stderr)
            yield number, problem and f"{' '.join(case.arguments)} [{case.seed}]: {problem}"
            shutil.rmtree(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=(*FORMATS, "all"), default="all")
    parser.add_argument("--cases", type=int, default=500, help="of each format")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--only", type=int, help="number of the one case to run")
    parser.add_argument("--keep", type=Path, help="folder for the files of findings")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    if arguments.keep is not None:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    numbers = range(arguments.cases) if arguments.only is None else [arguments.only]
    n_findings = 0
    for name in FORMATS if arguments.format == "all" else [arguments.format]:
        begin = time.monotonic()
        kinds = collections.Counter()
        for number, problem in run_format(name, numbers, arguments.seed, arguments.keep):
            kinds[problem.partition("]: ")[2].partition(":")[0]] += 1
            if problem:
                print(f"{name} {number}: {problem}", flush=True)
        n = len(numbers) - kinds.pop("", 0)
        used = time.monotonic() - begin
        print(f"{name}: {len(numbers)} cases, {n} findings {dict(kinds)}, {used:.0f} s", flush=True)
        n_findings += n
    return 1 if n_findings else 0


if __name__ == "__main__":
    # forks of a process with threads could wait for locks for ever
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", HF_HUB_OFFLINE="1")
    sys.path[0:1] = [str(ROOT), str(ROOT / "tests")]
    sys.exit(main())
