"""Part spectra by a list of molecules: hold_back.py SPECTRA KEYS FOLDER

KEYS: a file with the first InChIKey block of a molecule in each line. FOLDER/val.mgf holds the spectra of these
molecules, FOLDER/train.mgf those of the others, but for the ones that are similar to a held-back molecule (Tanimoto 0.6
or more), which are in neither. Spectra without a structure are dropped, too. (`sb-split` draws instead.)
"""

import sys
from pathlib import Path

import numpy as np

from specbridge_tools.evaluation.splits import FINGERPRINT_BITS, FINGERPRINT_RADIUS
from specbridge_tools.molecules.chemistry import morgan_counts
from specbridge_tools.molecules.identity import structure
from specbridge_tools.records import Tally
from specbridge_tools.reference.molecules import tanimoto
from specbridge_tools.reference.reference import SIMILAR
from specbridge_tools.spectra.mgf import write_mgf
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.streams import output_text


def main(spectra, keys, folder):
    held_back = set(Path(keys).read_text().split())
    Path(folder).mkdir(parents=True, exist_ok=True)
    tally = Tally(noun="spectra")
    known = [(spectrum, structure(spectrum)) for spectrum in tally.usable(read_spectra(spectra))]
    parted = parts({found.inchikey14: found.smiles for _, found in known if found is not None}, held_back)
    for name, chosen_keys in parted.items():
        chosen = [spectrum for spectrum, found in known if found is not None and found.inchikey14 in chosen_keys]
        tally.n_written += len(chosen)
        print(f"{name}: {len(chosen)} spectra of {len(chosen_keys)} molecules", file=sys.stderr)
        if name != "similar":
            with output_text(Path(folder) / f"{name}.mgf", force=True) as stream:
                write_mgf(iter(chosen), stream)
    print(tally.summary(), file=sys.stderr)


def parts(smiles, held_back):
    """First InChIKey block -> SMILES, and the blocks held back -> the blocks of each part."""
    val, others = (
        sorted(key for key in smiles if (key in held_back) == is_held_back) for is_held_back in (True, False)
    )
    theirs, bits = (fingerprints([smiles[key] for key in keys]) for keys in (val, others))
    is_similar = (tanimoto(bits, theirs.toarray()) >= SIMILAR).any(axis=1)
    similar = {key for key, each in zip(others, is_similar, strict=True) if each}
    return {"train": set(others) - similar, "val": set(val), "similar": similar}


def fingerprints(smiles):
    """(n, bits) sparse, of 0 and 1 as numbers."""
    counts = morgan_counts(smiles, radius=FINGERPRINT_RADIUS, bits=FINGERPRINT_BITS, counts=False)
    return counts.astype(np.float32)


if __name__ == "__main__":
    main(*sys.argv[1:])
