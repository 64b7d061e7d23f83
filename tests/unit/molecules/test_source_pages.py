"""Ids that name their source, and the pages they lead to."""

import pytest

from specbridge_tools.molecules.source_pages import DATABASES, source_id


@pytest.mark.parametrize(
    ("text", "parts", "page"),
    [
        ("pubchem:2519", ("pubchem", "2519"), "https://pubchem.ncbi.nlm.nih.gov/compound/2519"),
        ("comptox:DTXSID5020029", ("comptox", "DTXSID5020029"),
         "https://comptox.epa.gov/dashboard/chemical/details/DTXSID5020029"),
        ("wikipedia:A \"b\"?c", ("wikipedia", 'A "b"?c'), "https://en.wikipedia.org/wiki/A%20%22b%22%3Fc"),
        ("M7", ("", "M7"), ""),
        ("inchikey:RTWCHRMHGXBETA", ("", "inchikey:RTWCHRMHGXBETA"), ""),
        ("javascript:alert(1)", ("", "javascript:alert(1)"), ""),
        ("pubchem:", ("", "pubchem:"), ""),
        ("", ("", ""), ""),
    ],
)  # fmt: skip
def test_ids(text, parts, page):
    assert source_id(text) == parts
    assert source_id(text).page == page


def test_every_page_is_on_the_web():
    assert all(each.page.startswith("https://") and each.home.startswith("https://") for each in DATABASES.values())
