import io

import pytest

from specbridge_tools.search.queries.source import open_query_source

SPECTRUM = "BEGIN IONS\nPEPMASS=47.05\n29.04 1\nEND IONS\n"


@pytest.mark.parametrize(("n", "is_small"), [(1, True), (300, True), (1000, False)])
def test_a_file_of_few_spectra_is_small(n, is_small):
    with open_query_source(io.BytesIO(SPECTRUM.encode() * n)) as source:
        assert source.is_small is source.is_moderate is is_small
        assert len(list(source.records())) == n


@pytest.mark.parametrize(("n", "is_moderate"), [(1, True), (1000, True), (10_000, False)])
def test_a_file_on_disk_of_some_hundred_spectra_is_moderate(tmp_path, n, is_moderate):
    (tmp_path / "s.mgf").write_text(SPECTRUM * n)
    with open_query_source(tmp_path / "s.mgf") as source:
        assert source.is_moderate is is_moderate
        assert len(list(source.records())) == n
