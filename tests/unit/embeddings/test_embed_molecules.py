"""Molecules -> embeddings file."""

import logging

import h5py
import numpy as np
import pytest

from specbridge_tools.embeddings import embed_molecules as module
from specbridge_tools.embeddings.molecules import open_molecule_embeddings
from specbridge_tools.encoders.molecular.morgan import MorganEncoder
from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder
from specbridge_tools.errors import DataError, UsageError

TABLE = (
    "id\tname\tsmiles\n"
    "L\tL-alanine\tC[C@H](N)C(=O)O\n"
    "bad\t\tC1CC\n"
    "E\tethanol\tCCO\n"
    "D\tD-alanine\tC[C@@H](N)C(=O)O\n"
    "HCl\t\tCC(N)C(=O)O.Cl\n"
    "L\tagain\tCC(N)C(=O)O\n"
    "Ä\tbetaine\tC[N+](C)(C)CC(=O)[O-]\n"
    "B+\tits cation\tC[N+](C)(C)CC(=O)O\n"
)


class ShortSighted(ToyMoleculeEncoder):
    """Cuts every SMILES after five letters."""

    def encode(self, smiles):
        self.truncated += [text for text in smiles if len(text) > 5]
        return super().encode([text[:5] for text in smiles])


def test_rows_repeats_and_counts(embed):
    path, counts, tally = embed(TABLE)
    assert (counts.merged, counts.truncated) == (3, 0)
    assert (tally.n_read, tally.n_rejected, tally.n_written) == (8, 1, 4)
    with open_molecule_embeddings(path) as file:
        (block,) = file.blocks(10)
    assert block.id.tolist() == ["L", "E", "Ä", "B+"]
    assert block.all_ids.tolist() == ["L;D;HCl", "E", "Ä", "B+"]
    assert block.name.tolist() == ["L-alanine", "ethanol", "betaine", "its cation"]
    assert block.smiles.tolist() == ["CC(N)C(=O)O", "CCO", "C[N+](C)(C)CC(=O)[O-]", "C[N+](C)(C)CC(=O)O"]
    assert block.isomeric_smiles.tolist()[0] == "C[C@H](N)C(=O)O"
    assert block.inchikey14.tolist() == ["QNAYBMKLOCPYGJ", "LFQSCWFLJHTTHZ", "KWIUHFFTVRNATP", "KWIUHFFTVRNATP"]
    assert block.formula.tolist() == ["C3H7NO2", "C2H6O", "C5H11NO2", "C5H12NO2+"]
    assert block.exact_mass == pytest.approx([89.047678, 46.041865, 117.078979, 118.086804], abs=1e-5)
    assert block.truncated.tolist() == [0] * 4
    expected = ToyMoleculeEncoder(dimension=8).encode(block.smiles)
    assert block.embedding.tolist() == expected.astype(np.float16).tolist()


def test_attributes_name_the_encoder(embed):
    path, _, _ = embed(TABLE)
    encoder = ToyMoleculeEncoder(dimension=8)
    with h5py.File(path) as file:
        attributes = dict(file.attrs)
    assert attributes.pop("created_by").startswith("specbridge_tools ")
    assert attributes == {
        "format": "specbridge-molecules",
        "format_version": 1,
        "n": 4,
        "encoder": "toy:dimension=8",
        "weights_sha256": encoder.weights_sha256,
        "dimension": 8,
    }


def test_blocks_join_without_a_seam(embed, monkeypatch):
    rows = "".join(f"{i}\t{'C' * (1 + i % 37)}O\n" for i in range(100))
    whole, counts, _ = embed(f"id\tsmiles\n{rows}", name="whole.h5")
    monkeypatch.setattr(module, "BLOCK", 10)
    pieces, _, _ = embed(f"id\tsmiles\n{rows}", name="pieces.h5")
    assert counts.merged == 63
    with open_molecule_embeddings(whole) as first, open_molecule_embeddings(pieces) as second:
        for one, other in zip(first.blocks(7), second.blocks(7), strict=True):
            assert all((getattr(one, name) == getattr(other, name)).all() for name in vars(one) if name != "counts")
        assert first.read("all_ids").tolist()[25:28] == ["25;62;99", "26;63", "27;64"]


def test_the_same_input_gives_the_same_bytes(embed):
    assert embed(TABLE, name="a.h5")[0].read_bytes() == embed(TABLE, name="b.h5")[0].read_bytes()


def test_fingerprints_of_the_reading_pass_are_used(embed):
    encoder = MorganEncoder(bits=256, dimension=16)
    path, _, _ = embed(TABLE, encoder=encoder, dtype="float32")
    with open_molecule_embeddings(path) as file:
        assert file.embedding[:].tolist() == encoder.encode(file.read("smiles")).tolist()


def test_truncated_molecules_are_counted_marked_and_named(embed, caplog):
    with caplog.at_level(logging.WARNING):
        path, counts, _ = embed(TABLE, encoder=ShortSighted())
    assert counts.truncated == 3
    assert counts.summary() == "3 repeated structures merged, 3 truncated"
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["L", "Ä", "B+"]
    with open_molecule_embeddings(path) as file:
        assert file.read("truncated").tolist() == [1, 0, 1, 1]


def test_not_more_than_twenty_are_named_a_block(embed, caplog):
    rows = "".join(f"m{i}\t{'C' * (6 + i)}\n" for i in range(25))
    with caplog.at_level(logging.WARNING):
        embed(f"id\tsmiles\n{rows}", encoder=ShortSighted())
    assert len(caplog.records) == 21
    assert caplog.records[-1].getMessage() == "and 5 more, marked in the dataset `truncated`"


def test_no_molecules_at_all(embed):
    path, _, tally = embed("id\tsmiles\n")
    with open_molecule_embeddings(path) as file:
        assert len(file) == tally.n_written == 0
        assert list(file.blocks(5)) == []
        assert file.embedding.shape == (0, 8)


def test_text_that_hdf5_cannot_hold(embed):
    path, _, _ = embed(f"id\tsmiles\n{'x' * 5000}\tC\nA\0B\tCCO\n")
    with open_molecule_embeddings(path) as file:
        assert file.read("id").tolist() == ["x" * 5000, "A\ufffdB"]


class Huge(ToyMoleculeEncoder):
    def encode(self, smiles):
        return super().encode(smiles) * np.float32(1e6)


def test_a_vector_that_does_not_fit_is_an_error_and_leaves_nothing(embed, tmp_path):
    with pytest.raises(DataError, match="the vector of L is not finite as float16; store it as float32"):
        embed(TABLE, encoder=Huge())
    assert [path.name for path in tmp_path.iterdir()] == ["input"]
    embed(TABLE, encoder=Huge(), dtype="float32")


def test_an_output_that_exists_is_refused(embed):
    path, _, _ = embed(TABLE)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="exists already; --force replaces it"):
        embed("smiles\nC\n")
    assert path.read_bytes() == before
    embed("smiles\nC\n", force=True)
    with open_molecule_embeddings(path) as file:
        assert len(file) == 1
