"""Spectra -> embeddings file."""

import io

import h5py
import numpy as np
import pytest

from specbridge_tools.embeddings.embed_spectra import embed_spectra
from specbridge_tools.embeddings.spectra import open_spectrum_embeddings
from specbridge_tools.records import Rejection, Tally

SPECTRA = """BEGIN IONS
TITLE=first
PEPMASS=100.5
CHARGE=1+
ADDUCT=[M+H]+
FORMULA=C5H10O2
50.1 10
60.2 20
END IONS

BEGIN IONS
TITLE=no precursor
50.1 10
END IONS

BEGIN IONS
TITLE=third
PEPMASS=200.25
CHARGE=1-
50.1 10
END IONS
"""


@pytest.fixture
def embedded(tmp_path, fake_model):
    """MGF text -> (path, tally)."""

    def run(text, **settings):
        tally = Tally(noun="spectra")
        path = tmp_path / "spectra.h5"
        embed_spectra(io.BytesIO(text.encode()), path, model=fake_model, tally=tally, **settings)
        return path, tally

    return run


def test_every_record_has_its_row(embedded, fake_model):
    path, tally = embedded(SPECTRA, dtype="float32", batch_size=16)
    assert (tally.n_read, tally.n_rejected, tally.n_written) == (3, 1, 2)
    assert fake_model.batches == [(2, 16)]
    with open_spectrum_embeddings(path) as file:
        assert len(file) == 3
        (block,) = file.blocks(10)
    (first, first_vector), (second, second_vector), (third, third_vector) = block
    assert (first.id, first.precursor_mz, first.adduct, first.charge, first.polarity) == (
        "first",
        100.5,
        "[M+H]+",
        1,
        1,
    )
    assert (first.record, first.line, dict(first.metadata)) == (1, 1, {"formula": "C5H10O2"})
    assert isinstance(second, Rejection)
    assert (second.id, second.record, second.line) == ("no precursor", 2, 11)
    assert second.reason
    assert (third.id, third.adduct, third.polarity, third.record) == ("third", None, -1, 3)
    assert first_vector == pytest.approx(np.array([100.5, 2]) / np.hypot(100.5, 2), rel=1e-6)
    assert np.linalg.norm(third_vector) == pytest.approx(1, abs=1e-6)
    assert not second_vector.any()


def test_attributes_name_model_and_space(embedded):
    path, _ = embedded(SPECTRA)
    with h5py.File(path) as file:
        attributes = dict(file.attrs)
        assert file["embedding"].dtype == np.float16
    assert attributes.pop("created_by").startswith("specbridge_tools ")
    assert attributes == {
        "format": "specbridge-spectra",
        "format_version": 1,
        "n": 3,
        "model": "fake",
        "model_sha256": "11" * 32,
        "encoder": "toy:dimension=2",
        "weights_sha256": "22" * 32,
        "molecule_head_sha256": "",
        "dimension": 2,
    }
    with open_spectrum_embeddings(path) as file:
        assert (file.model, file.model_sha256) == ("fake", "11" * 32)
        assert (file.encoder, file.weights_sha256, file.molecule_head_sha256, file.dimension) == (
            "toy:dimension=2", "22" * 32, "", 2,
        )  # fmt: skip


def test_blocks_join_without_a_seam(embedded, fake_model):
    path, tally = embedded(SPECTRA * 40, batch_size=2)
    assert tally.n_written == 80
    assert len(fake_model.batches) == 4
    with open_spectrum_embeddings(path) as file:
        records = [record for block in file.blocks(7) for record, _ in block]
    assert [record.record for record in records] == list(range(1, 121))
    assert [isinstance(record, Rejection) for record in records] == [False, True, False] * 40


@pytest.mark.parametrize("text", ["", SPECTRA.split("\n\n")[1]])
def test_nothing_to_encode(embedded, fake_model, text):
    path, tally = embedded(text)
    with open_spectrum_embeddings(path) as file:
        assert len(file) == tally.n_read
    assert fake_model.batches == []
