import dataclasses

import numpy as np
import pytest
from small_library import MOLECULES, N_MOLECULES, pack_small

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.library.packed import read_bits, read_columns, read_facts
from specbridge_tools.molecules.chemistry import morgan_counts, standardise
from specbridge_tools.weights.tensor_file import read_tensor_file, write_tensor_file


def test_the_header_tells_what_it_is(small):
    facts = read_facts(small)
    assert (facts.n_molecules, facts.licence, facts.fingerprint) == (N_MOLECULES, "CC0-1.0", (2, 4096))
    assert len(facts.sha256) == 64


def test_the_molecules_are_those_of_the_table_in_the_order_of_an_index(small):
    columns = read_columns(read_facts(small))
    assert sorted(columns.texts["name"]) == sorted(name for _, name, _, _ in MOLECULES[:-1])
    for row, smiles in enumerate(columns.texts["smiles"]):
        form = standardise(smiles)
        assert (form.smiles, form.inchikey14, form.formula) == tuple(
            columns.texts[name][row] for name in ("smiles", "inchikey14", "formula")
        )
        assert form.exact_mass == columns.exact_mass[row]
    order = sorted(zip(columns.exact_mass, columns.texts["inchikey14"], strict=True))
    assert order == list(zip(columns.exact_mass, columns.texts["inchikey14"], strict=True))
    assert columns.texts["id"][columns.texts["smiles"].index("CC(C)CO")] == "inchikey:ZXEKIIBDNHEJCQ"
    row = columns.texts["id"].index("cpd:35")
    assert columns.texts["sources"][row] == "modelseed;repoRT"


def test_the_bits_are_those_of_the_structures(small):
    facts = read_facts(small)
    smiles = read_columns(facts).texts["smiles"]
    offsets, bits = read_bits(facts, smiles)
    expected = morgan_counts(smiles, radius=2, bits=4096, counts=False)
    assert np.array_equal(offsets, expected.indptr)
    assert np.array_equal(bits, expected.indices)


def test_the_same_table_gives_the_same_bytes(small, tmp_path):
    assert pack_small(tmp_path).read_bytes() == small.read_bytes()


def test_what_is_no_library_is_an_error(tmp_path):
    path = tmp_path / "model.safetensors"
    write_tensor_file({"x": np.zeros(1)}, {"format": "specbridge-model", "format_version": 1}, path)
    with pytest.raises(FormatError, match="is a specbridge-model, expected a specbridge-library"):
        read_facts(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_facts(tmp_path / "absent.safetensors")


def broken(small, tmp_path, change):
    header, tensors = read_tensor_file(small)
    change(tensors)
    path = tmp_path / "broken.safetensors"
    write_tensor_file(tensors, header, path)
    return read_facts(path)


def test_damaged_columns_are_an_error(small, tmp_path):
    def cut(tensors):
        tensors["name"] = tensors["name"][:-9]

    with pytest.raises(FormatError, match="its column name is damaged"):
        read_columns(broken(small, tmp_path, cut))
    with pytest.raises(FormatError, match="has no column id"):
        read_columns(broken(small, tmp_path, lambda tensors: tensors.pop("id")))
    facts = dataclasses.replace(read_facts(small), n_molecules=N_MOLECULES + 1)
    with pytest.raises(FormatError, match="its columns are not of one length"):
        read_columns(facts)
