"""A library of a few molecules, packed as the one that ships."""

from specbridge_tools.library.pack import pack_library

# smiles, name, id, sources; of equal mass, repeated (the last), with names of all letters, without a name or an id
MOLECULES = (
    ("OCCCC", "1-butanol", "pubchem:263", "chemicals;wikipedia"),
    ("CCOCC", "diethyl ether", "pubchem:3283", "chemicals"),
    ("CC(C)CO", "", "", "chemicals"),
    ("NCC(=O)O", "glycine", "cpd:33", "modelseed"),
    ("c1ccccc1", "Benzol, α-frei", "pubchem:241", "chemicals"),
    ("CC(N)C(=O)O", "alanine", "cpd:35", "modelseed;repoRT"),
    ("CNCC(=O)O", "sarcosine", "cpd:183", "modelseed"),
    ("CC(C)Cc1ccc(C(C)C(=O)O)cc1", "ibuprofen", "pubchem:3672", "drugcentral"),
    ("C[N+](C)(C)CCO", "choline", "cpd:98", "modelseed"),
    ("CCCCO", "butanol again", "x:1", "twice"),
)
N_MOLECULES = len(MOLECULES) - 1


def write_table(path):
    rows = ["smiles\tname\tid\tsources", *map("\t".join, MOLECULES)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def pack_small(folder, *, bits=4096):
    """Write `table.tsv` and the library packed of it into a folder; the path of the library."""
    path = folder / "library.safetensors"
    table = write_table(folder / "table.tsv")
    pack_library(table, path, licence="CC0-1.0", fingerprint=(2, bits), threads=1, force=True)
    return path
