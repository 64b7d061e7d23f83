import gzip
import lzma

import pytest
from small_library import N_MOLECULES, write_table

from specbridge_tools.errors import DataError
from specbridge_tools.library.pack import pack_library
from specbridge_tools.records import Tally


@pytest.mark.parametrize("compress", [lzma.compress, gzip.compress])
def test_a_compressed_table_gives_the_same_library(compress, small, tmp_path):
    table = write_table(tmp_path / "table.tsv")
    table.write_bytes(compress(table.read_bytes()))
    tally = Tally(noun="molecules")
    pack_library(table, tmp_path / "l.safetensors", licence="CC0-1.0", threads=1, tally=tally)
    assert (tmp_path / "l.safetensors").read_bytes() == small.read_bytes()
    assert (tally.n_read, tally.n_rejected, tally.n_written) == (N_MOLECULES + 1, 0, N_MOLECULES)


def test_a_structure_that_cannot_be_read_is_counted(tmp_path):
    table = tmp_path / "table.tsv"
    table.write_text("smiles\tid\nCCO\ta\nnonsense\tb\n")
    tally = Tally(noun="molecules")
    pack_library(table, tmp_path / "l.safetensors", licence="CC0-1.0", threads=1, tally=tally)
    assert (tally.n_read, tally.n_rejected, tally.n_written) == (2, 1, 1)


def test_fingerprints_have_a_limit(tmp_path):
    table = write_table(tmp_path / "table.tsv")
    with pytest.raises(DataError, match="fingerprints of 65537 bits cannot be packed, only of up to 65536"):
        pack_library(table, tmp_path / "l.safetensors", licence="CC0-1.0", fingerprint=(2, 65537))
