"""The records of a file of spectra, as a split takes them."""

from specbridge_tools.molecules.identity import structure, structure_key
from specbridge_tools.records import Rejection
from specbridge_tools.spectra.mgf import write_mgf
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.streams import display_name


class SpectrumRecords:
    """Spectra in file order; parts are written as MGF, whatever the format of the file."""

    noun = "spectra"
    suffix = "mgf"

    def __init__(self, path, *, input_format="auto", name=None):
        self._path = path
        self._input_format = input_format
        self._name = name or display_name(path)

    def read(self):
        """Yield each `Spectrum` or `Rejection`."""
        return read_spectra(self._path, input_format=self._input_format)

    def molecules(self, *, with_structure):
        """Yield, record by record as `read` does, (InChIKey block, canonical SMILES), or a `Rejection`.

        Without `with_structure` the block alone is enough, and the SMILES is ''.
        """
        for record in self.read():
            yield record if isinstance(record, Rejection) else self._molecule(record, with_structure)

    def _molecule(self, spectrum, with_structure):
        form = structure(spectrum) if with_structure else None
        key = form.inchikey14 if form else structure_key(spectrum)
        if key is not None and (form is not None or not with_structure):
            return key, form.smiles if form else ""
        detail = "smiles or inchi is needed" if with_structure else "smiles, inchi or inchikey is needed"
        return Rejection("no structure", spectrum.id, spectrum.record, spectrum.line, self._name, detail)

    def start(self, stream):
        """Begin a part: MGF has no header."""

    def write(self, record, stream):
        """Add one record to a part."""
        write_mgf([record], stream)
