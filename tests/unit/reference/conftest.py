import pytest
from builders import spectrum
from records_of_reference import RECORDS, mgf

from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder
from specbridge_tools.reference.build import build_reference


@pytest.fixture(scope="session")
def toy():
    return ToyMoleculeEncoder()


@pytest.fixture
def build(tmp_path, toy):
    """Builds a reference of records by their titles, or of the text of a file."""

    def make(*titles, text=None, name="ref.h5", encoder=toy, **options):
        source = tmp_path / f"{name}.mgf"
        source.write_text(mgf(*(titles or RECORDS)) if text is None else text)
        build_reference([source], tmp_path / name, encoder=encoder, force=True, **options)
        return tmp_path / name

    return make


@pytest.fixture
def query():
    """A spectrum of phenacetin that is not in the reference."""
    peaks = [(110.061, 8), (138.09, 6), (180.102, 1)]
    return spectrum(peaks, precursor_mz=180.102, id="Q", charge=1, polarity=1, smiles="CCOc1ccc(NC(C)=O)cc1")
