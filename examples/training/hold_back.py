"""Part spectra by a list of molecules: hold_back.py SPECTRA KEYS FOLDER

KEYS: a file with the first InChIKey block of a molecule in each line. FOLDER/val.mgf holds the spectra of these
molecules, FOLDER/train.mgf those of all others. Spectra without a structure are dropped. (`sb-split` draws instead.)
"""

import sys
from pathlib import Path

from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.records import Tally
from specbridge_tools.spectra.mgf import write_mgf
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.streams import output_text


def main(spectra, keys, folder):
    held_back = set(Path(keys).read_text().split())
    Path(folder).mkdir(parents=True, exist_ok=True)
    tally = Tally(noun="spectra")
    known = [(spectrum, structure_key(spectrum)) for spectrum in tally.usable(read_spectra(spectra))]
    for name, is_held_back in (("train", False), ("val", True)):
        chosen = [one for one, key in known if key is not None and (key in held_back) == is_held_back]
        tally.n_written += len(chosen)
        with output_text(Path(folder) / f"{name}.mgf", force=True) as stream:
            write_mgf(iter(chosen), stream)
    print(tally.summary(), file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
