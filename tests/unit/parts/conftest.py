import pytest

CHAINS = ("C" * n + "O" for n in (8, 9, 10))  # equal fingerprints but for the number of equal environments
OTHERS = ("Cn1c(=O)c2c(ncn2C)n(C)c1=O", "CC(=O)Nc1ccc(O)cc1", "OC[C@H]1OC(O)C(O)C(O)C1O", "NCCc1ccc(O)c(O)c1")
SMILES = (*CHAINS, *OTHERS)


@pytest.fixture
def smiles():
    return SMILES


@pytest.fixture
def spectra_file(tmp_path):
    """An MGF of three spectra of each molecule, and one without a structure; the titles name the molecule's number."""

    def record(title, structure):
        return f"BEGIN IONS\nTITLE={title}\nPEPMASS=200.5\nCHARGE=1+\n{structure}100.25 1\n150.5 2\nEND IONS\n\n"

    blocks = [record(f"{i}.{k}", f"SMILES={text}\n") for k in range(3) for i, text in enumerate(SMILES)]
    path = tmp_path / "spectra.mgf"
    path.write_text("".join([*blocks, record("none", "")]))
    return path


@pytest.fixture
def table_file(tmp_path):
    path = tmp_path / "molecules.tsv"
    path.write_text("id\tsmiles\tnote\n" + "".join(f"m{i}\t{text}\tx {i}\n" for i, text in enumerate(SMILES)))
    return path
