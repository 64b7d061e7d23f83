"""Ids of molecules as links to the pages of their sources."""

from __future__ import annotations

import re

from specbridge_tools.molecules.source_pages import DATABASES, source_id
from specbridge_tools.report.markup import Markup, element, joined

_SEPARATOR = ";"
# accessions that name their source without a prefix of ours -> the prefix
_OWN_FORMS = {
    re.compile(r"CHEBI:(\d{1,9})"): "chebi",
    re.compile(r"(HMDB\d{5,7})"): "hmdb",
    re.compile(r"(CHEMBL\d{1,9})"): "chembl",
    re.compile(r"(DTXSID\d{7,12})"): "comptox",
    re.compile(r"(LTS\d{7})"): "lotus",
    re.compile(r"(CNP\d{7}(?:\.\d{1,3})?)"): "coconut",
    re.compile(r"(NPA\d{6})"): "npatlas",
    re.compile(r"(LM[A-Z]{2}\d{8,12})"): "lipidmaps",
}


def identified(texts: str) -> list[tuple[str, str]]:
    """Split what stands in `all_ids` into (id, address of its page, '' for none), each id once, in order."""
    return [(text, page_of(text)) for text in dict.fromkeys(texts.split(_SEPARATOR)) if text]


def page_of(text: str) -> str:
    """Address of the page of an id, as the library that ships writes it or in its source's own form; '' for none."""
    page = source_id(text).page
    for form, prefix in _OWN_FORMS.items():
        if not page and (found := form.fullmatch(text)):
            page = DATABASES[prefix].page + found[1]
    return page


def links(texts: str) -> Markup:
    """The ids, those with a page as links."""
    parts: list[str] = []
    for text, page in identified(texts):
        parts += [_SEPARATOR if parts else "", element("a", text, href=page, rel="noreferrer") if page else text]
    return joined(*parts)
