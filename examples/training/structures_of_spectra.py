"""Write the structures in the metadata of spectra, each once, as a molecule table.

structures_of_spectra.py SPECTRA... > structures.tsv
"""

import csv
import sys

from specbridge_tools.molecules.identity import structure
from specbridge_tools.records import Tally
from specbridge_tools.spectra.reader import read_spectra


def main(paths):
    tally = Tally(noun="spectra")
    rows = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    rows.writerow(["id", "smiles", "name"])
    seen = set()
    for path in paths:
        for spectrum in tally.usable(read_spectra(path)):
            form = structure(spectrum)
            if form is not None and form.inchikey14 not in seen:
                seen.add(form.inchikey14)
                rows.writerow([form.inchikey14, form.smiles, spectrum.metadata.get("name", "")])
    tally.n_written = len(seen)
    print(tally.summary(), file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
