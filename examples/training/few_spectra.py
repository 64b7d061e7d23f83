"""At most so many spectra of each molecule: few_spectra.py SPECTRA [--each 2] > few.mgf"""

import argparse
import collections
import sys

from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.records import Tally
from specbridge_tools.spectra.mgf import write_mgf
from specbridge_tools.spectra.reader import read_spectra


def few(spectra, each):
    """Yield the first `each` spectra of every molecule; spectra without a structure are left out."""
    seen = collections.Counter()
    for spectrum in spectra:
        key = structure_key(spectrum)
        seen[key] += 1
        if key is not None and seen[key] <= each:
            yield spectrum


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spectra")
    parser.add_argument("--each", type=int, default=2)
    options = parser.parse_args()
    write_mgf(few(Tally().usable(read_spectra(options.spectra)), options.each), sys.stdout)
