import io

import pytest

from specbridge_tools.search.queries.source import open_query_source

SPECTRUM = "BEGIN IONS\nPEPMASS=47.05\n29.04 1\nEND IONS\n"


@pytest.mark.parametrize(("n", "is_small"), [(1, True), (300, True), (1000, False)])
def test_a_file_of_few_spectra_is_small(n, is_small):
    with open_query_source(io.BytesIO(SPECTRUM.encode() * n)) as source:
        assert source.is_small is is_small
        assert len(list(source.records())) == n
