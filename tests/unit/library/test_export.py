import io

from specbridge_tools.library.export import export_table
from specbridge_tools.library.packed import read_columns, read_facts


def test_a_row_for_each_molecule_by_mass(small):
    stream = io.StringIO()
    export_table(read_columns(read_facts(small)), stream)
    header, *rows = [line.split("\t") for line in stream.getvalue().splitlines()]
    assert header == ["inchikey14", "smiles", "formula", "exact_mass", "name", "id", "sources"]
    assert rows[-1] == [
        "HEFNNWSXXWATRW", "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "C13H18O2", "206.13068", "ibuprofen", "pubchem:3672",
        "drugcentral",
    ]  # fmt: skip
    masses = [float(row[3]) for row in rows]
    assert masses == sorted(masses)
