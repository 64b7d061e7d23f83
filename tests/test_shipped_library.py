"""The library that ships, whole: what it holds, and the index that the first use builds of it."""

import time

import numpy as np
import pytest

from specbridge_tools import pretrained
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.library.packed import read_bits, read_columns, read_facts
from specbridge_tools.library.store import Making, library_index
from specbridge_tools.molecules.chemistry import standardise
from specbridge_tools.molecules.fingerprints import bits_matrix
from specbridge_tools.search.index.reader import open_index

pytestmark = pytest.mark.slow
N_MOLECULES = 292_120
SAMPLE = 1500  # every so many molecules are looked at one by one


@pytest.fixture(scope="module")
def facts():
    return read_facts(pretrained.LIBRARY)


@pytest.fixture(scope="module")
def columns(facts):
    return read_columns(facts)


def test_it_holds_what_its_card_says(facts, columns):
    card = pretrained.LIBRARY.with_name("LIBRARY_CARD.md").read_text(encoding="utf-8")
    assert (facts.n_molecules, facts.licence, facts.fingerprint) == (N_MOLECULES, "CC-BY-SA-4.0", (2, 4096))
    assert f"{facts.n_molecules:,} known small molecules" in card
    named = sum(map(bool, columns.texts["name"])) / facts.n_molecules
    with_id = sum(not text.startswith("inchikey:") for text in columns.texts["id"]) / facts.n_molecules
    assert f"a name ({named:.0%}".replace("%", " %") in card
    assert f"{with_id:.0%} have one, else".replace("%", " %") in card
    identities = set(zip(columns.texts["inchikey14"], columns.texts["formula"], strict=True))
    assert len(identities) == facts.n_molecules


def test_every_source_is_named_with_its_licence(columns):
    text = pretrained.LIBRARY.with_name("SOURCES.md").read_text(encoding="utf-8")
    tags = {tag for cell in columns.texts["sources"] for tag in cell.split(";")}
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| ")]
    licences = {row[1].strip(): row[4].strip() for row in rows if len(row) > 8}
    assert tags
    assert all(licences.get(tag) for tag in tags)


@pytest.mark.bytes
def test_its_bits_give_the_vectors_that_its_structures_give(facts, columns):
    smiles = columns.texts["smiles"]
    sample = np.arange(0, facts.n_molecules, SAMPLE)
    encoder = MOLECULE_ENCODERS.create("default")
    packed = encoder.encode_matrix(bits_matrix(*read_bits(facts, smiles), bits=facts.fingerprint[1])[sample])
    assert np.array_equal(packed, encoder.encode([smiles[row] for row in sample]))
    for row in sample:
        form = standardise(smiles[row])
        assert (form.smiles, form.inchikey14, form.formula, form.exact_mass) == (
            smiles[row], columns.texts["inchikey14"][row], columns.texts["formula"][row], columns.exact_mass[row],
        )  # fmt: skip


def test_the_first_use_takes_less_than_a_minute_and_the_next_a_moment(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path))
    monkeypatch.delenv("SPECBRIDGE_SHARED", raising=False)
    began, computed = time.perf_counter(), time.process_time()
    path = library_index(making=Making(threads=2))
    built, cpu = time.perf_counter() - began, time.process_time() - computed
    began = time.process_time()
    library_index()
    opened = time.process_time() - began
    with capsys.disabled():
        print(f"\nindex of the library: built in {built:.1f} s ({cpu:.1f} s of CPU), opened in {opened * 1e3:.0f} ms")
    assert cpu < 60
    assert opened < 0.5
    with open_index(path) as index:
        assert index.n == N_MOLECULES
        low, masses = index.mass_window(194.0803, 194.0805)
        assert "Caffeine" in {name.capitalize() for name in index.texts["name"].read(low, low + len(masses))}
