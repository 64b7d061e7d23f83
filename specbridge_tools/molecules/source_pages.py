"""Ids of molecules that name their source, such as `pubchem:2519`, and the page that each leads to."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote


class SourceDatabase(NamedTuple):
    """A database of molecules: its name, its own page, and what stands before an accession in the address of a page."""

    name: str
    home: str
    page: str


DATABASES = {
    "cas": SourceDatabase(
        "CAS Common Chemistry", "https://commonchemistry.cas.org", "https://commonchemistry.cas.org/detail?cas_rn="
    ),
    "chebi": SourceDatabase(
        "ChEBI", "https://www.ebi.ac.uk/chebi", "https://www.ebi.ac.uk/chebi/searchId.do?chebiId=CHEBI:"
    ),
    "chembl": SourceDatabase(
        "ChEMBL", "https://www.ebi.ac.uk/chembl", "https://www.ebi.ac.uk/chembl/compound_report_card/"
    ),
    "coconut": SourceDatabase(
        "COCONUT", "https://coconut.naturalproducts.net", "https://coconut.naturalproducts.net/compounds/"
    ),
    "comptox": SourceDatabase(
        "CompTox", "https://comptox.epa.gov/dashboard", "https://comptox.epa.gov/dashboard/chemical/details/"
    ),
    "drugbank": SourceDatabase("DrugBank", "https://go.drugbank.com", "https://go.drugbank.com/drugs/"),
    "drugcentral": SourceDatabase("DrugCentral", "https://drugcentral.org", "https://drugcentral.org/drugcard/"),
    "foodb": SourceDatabase("FooDB", "https://foodb.ca", "https://foodb.ca/compounds/"),
    "hmdb": SourceDatabase("HMDB", "https://hmdb.ca", "https://hmdb.ca/metabolites/"),
    "kegg": SourceDatabase("KEGG", "https://www.genome.jp/kegg", "https://www.genome.jp/entry/"),
    "lipidmaps": SourceDatabase("LIPID MAPS", "https://www.lipidmaps.org", "https://www.lipidmaps.org/databases/lmsd/"),
    "lotus": SourceDatabase(
        "LOTUS", "https://lotus.naturalproducts.net", "https://lotus.naturalproducts.net/compound/lotus_id/"
    ),
    "massbank": SourceDatabase("MassBank", "https://massbank.eu", "https://massbank.eu/MassBank/RecordDisplay?id="),
    "modelseed": SourceDatabase("ModelSEED", "https://modelseed.org", "https://modelseed.org/biochem/compounds/"),
    "npatlas": SourceDatabase("NP Atlas", "https://www.npatlas.org", "https://www.npatlas.org/explore/compounds/"),
    "pubchem": SourceDatabase(
        "PubChem", "https://pubchem.ncbi.nlm.nih.gov", "https://pubchem.ncbi.nlm.nih.gov/compound/"
    ),
    "wikidata": SourceDatabase("Wikidata", "https://www.wikidata.org", "https://www.wikidata.org/wiki/"),
    "wikipedia": SourceDatabase("Wikipedia", "https://en.wikipedia.org", "https://en.wikipedia.org/wiki/"),
}
"""Prefix of an id, in lower case as the library that ships writes it -> the database."""


class SourceId(NamedTuple):
    """An id in two parts; the prefix is one of `DATABASES`, or '' for an id that names none, which is left whole."""

    prefix: str
    accession: str

    @property
    def database(self) -> SourceDatabase | None:
        return DATABASES.get(self.prefix)

    @property
    def page(self) -> str:
        """Address of the molecule's page, '' for none."""
        return self.database.page + quote(self.accession) if self.database else ""


def source_id(text: str) -> SourceId:
    """`pubchem:2519` -> (pubchem, 2519); `M7` -> ('', M7)."""
    prefix, _, accession = text.partition(":")
    return SourceId(prefix, accession) if accession and prefix in DATABASES else SourceId("", text)
