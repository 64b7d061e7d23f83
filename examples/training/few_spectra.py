"""Keep at most a few spectra of each molecule and adduct, and add a field that names both.

few_spectra.py SPECTRA [--each 3] [--share 1] > few.mgf

The field is COMPOUND_ION, for sb-query --group-by. Spectra without a structure are dropped. A --share of the molecules
is drawn by a hash of the InChIKey: a smaller share is part of a larger one.
"""

import argparse
import collections
import dataclasses
import hashlib
import sys

from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.records import Tally
from specbridge_tools.spectra.mgf import write_mgf
from specbridge_tools.spectra.reader import read_spectra


def is_drawn(key, share):
    """Whether a molecule is among this share of all."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") < share * 2**64


def few(spectra, each, share):
    """Yield the first `each` spectra of every molecule and adduct, with their field."""
    seen = collections.Counter()
    for spectrum in spectra:
        key = structure_key(spectrum)
        name = f"{key} {spectrum.adduct}"
        seen[name] += 1
        if key is not None and seen[name] <= each and is_drawn(key, share):
            yield dataclasses.replace(spectrum, metadata={**spectrum.metadata, "compound_ion": name})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spectra")
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    write_mgf(few(Tally().usable(read_spectra(options.spectra)), options.each, options.share), sys.stdout)
