"""Check what the wheel and the sdist in a folder hold: check_dist.py FOLDER."""

import sys
import tarfile
import zipfile
from pathlib import Path

SIZE_LIMIT = 95e6
IN_WHEEL = (
    "specbridge_tools/pretrained/LICENSE-CC-BY-SA-4.0.txt",
    "specbridge_tools/pretrained/MODEL_CARD.md",
    "specbridge_tools/pretrained/REFERENCE_CARD.md",
    "specbridge_tools/pretrained/reference.h5",
    "specbridge_tools/pretrained/library/LIBRARY_CARD.md",
    "specbridge_tools/pretrained/library/SOURCES.md",
    "specbridge_tools/pretrained/library/library.safetensors",
    "specbridge_tools/FILES.md",
    "specbridge_tools/cli/query.py",
    "specbridge_tools/report/live/page.css",
    "specbridge_tools/report/live/page.js",
    "specbridge_tools/py.typed",
)
IN_SDIST = (
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CITATION.cff",
    "pyproject.toml",
    "setup.py",
    "examples/COMMANDS.md",
    "examples/cluster/README.md",
    "examples/environment.sh",
    "examples/quickstart.sh",
    "examples/report.png",
    "examples/spectra.mgf",
    "examples/molecules.tsv",
    "tests/run.sh",
    "tests/architecture/test_imports.py",
    "specbridge_tools/pretrained/MODEL_CARD.md",
    "specbridge_tools/pretrained/reference.h5",
    "specbridge_tools/pretrained/library/SOURCES.md",
    "specbridge_tools/pretrained/library/library.safetensors",
)


def main(folder):
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    problems = [f"{wheel.name} lacks {name}" for name in IN_WHEEL if name not in names]
    problems += [
        f"{wheel.name} holds {name}" for name in names if name.split("/")[0] in ("tests", "examples", "galaxy_wrappers")
    ]
    if not any(name.endswith(".safetensors") for name in names):
        problems.append(f"{wheel.name} lacks the weights")
    if not any(name.endswith(("licenses/LICENSE", "dist-info/LICENSE")) for name in names):
        problems.append(f"{wheel.name} lacks the licence of the code")
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    problems += [f"{sdist.name} lacks {name}" for name in IN_SDIST if name not in names]
    problems += [f"{sdist.name} holds {name}" for name in names if "__pycache__" in name or name.startswith(".ci")]
    for path in (wheel, sdist):
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
        if path.stat().st_size > SIZE_LIMIT:
            problems.append(f"{path.name} has {path.stat().st_size} bytes, more than {SIZE_LIMIT:.0f}")
    return problems


if __name__ == "__main__":
    sys.exit("\n".join(main(Path(sys.argv[1]))) or 0)
