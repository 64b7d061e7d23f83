"""The reference that ships."""

from pathlib import Path

import pytest

from specbridge_tools import pretrained
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.reference.reference import Reference

MEASURED_ON = Path(__file__).parents[2] / "val_molecules.txt"
"""InChIKey blocks of the molecules that figures are measured on."""


@pytest.fixture(scope="module")
def shipped():
    return Reference.open(pretrained.REFERENCE, encoder=MOLECULE_ENCODERS.create("default"))


def test_no_molecule_that_figures_are_measured_on_is_in_it(shipped):
    keys = MEASURED_ON.read_text().split()
    assert len(set(keys)) == 378
    assert not set(keys) & set(shipped.molecules.inchikey14)


def test_each_spectrum_names_accession_licence_and_contributor(shipped):
    texts = shipped.texts
    assert len(shipped) == len(set(texts.accession)) == 55_816
    assert len(shipped.molecules) == 6_737
    for name in ("licence", "contributor", "adduct"):
        assert "" not in texts.lists[name]


def test_it_is_small():
    assert pretrained.REFERENCE.stat().st_size < 10e6
