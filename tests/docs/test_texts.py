"""The texts beside the package: the reference of commands is true, links lead somewhere, tables name all columns."""

import re
import sys
from pathlib import Path

import h5py
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands_reference import COMMANDS, ROOT, reference


def _texts(folder):
    return folder.glob("*.md") if folder == ROOT else folder.rglob("*.md")


TEXTS = sorted(path for folder in (".", "examples", "specbridge_tools", "tests") for path in _texts(ROOT / folder))
FILES = (ROOT / "specbridge_tools/FILES.md").read_text(encoding="utf-8")
README_LINES = 160


def test_the_reference_of_the_commands_is_true():
    written = (ROOT / "examples/COMMANDS.md").read_text(encoding="utf-8")
    assert written == reference(), "run: python tests/docs/commands_reference.py > examples/COMMANDS.md"
    assert len(COMMANDS) >= 13


def test_readme_is_short():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= README_LINES


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    for target, _, anchor in re.findall(r"\]\(((?!https?:)[^)#\s]*)(#([^)\s]+))?\)", text):
        linked = path.parent / target if target else path
        assert linked.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_column_stands_in_the_file_formats():
    """The columns of tables, and datasets and attributes of HDF5 files, as the files of the tests have them."""
    named = set()
    for table in ("reranked.tsv", "peaks.tsv", "molecules.rejects.tsv"):
        header = (ROOT / "tests/golden/expected" / table).read_text(encoding="utf-8").partition("\n")[0]
        named |= set(header.split("\t"))
    for name in ("molecules.h5", "spectra.h5", "index.h5"):
        with h5py.File(ROOT / "galaxy_wrappers/test-data" / name) as file:
            columns = {re.sub("^.+_(?=bytes|offsets)", "T_", column) for column in file}
            named |= columns | set(file.attrs) | {file.attrs["format"]}
    assert named <= set(re.findall(r"[\w-]+", FILES))
