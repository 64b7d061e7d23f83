"""Keep at most a few spectra of each molecule and adduct, and add a field that names both.

few_spectra.py SPECTRA [--each 3] [--share 1] > few.mgf

The field is COMPOUND_ION, for sb-query --group-by. Spectra without a structure are dropped. A --share of the molecules
is drawn by a hash of the InChIKey: a smaller share is part of a larger one.
"""

import argparse
import hashlib
import sys

from specbridge_tools.identification.ranking_lists import few_of_each
from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.records import Tally
from specbridge_tools.spectra.mgf import write_mgf
from specbridge_tools.spectra.reader import read_spectra


def is_drawn(key, share):
    """Whether a molecule is among this share of all."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") < share * 2**64


def of_molecules(spectra, share):
    """Yield the spectra of this share of the molecules."""
    for spectrum in spectra:
        key = structure_key(spectrum)
        if key is not None and is_drawn(key, share):
            yield spectrum


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spectra")
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    drawn = of_molecules(Tally().usable(read_spectra(options.spectra)), options.share)
    write_mgf(few_of_each(drawn, each=options.each), sys.stdout)
