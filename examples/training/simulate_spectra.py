"""Simulate spectra of molecules that were never measured, to train a spectral encoder on before the measured ones.

python simulate_spectra.py TEMPLATES.mgf MOLECULES.tsv --ranker FILE --exclude KEYS [--most N] > simulated.mgf

TEMPLATES lend adduct, energy and number of peaks; MOLECULES is a TSV with the column smiles; KEYS lists, one a line,
the first InChIKey blocks of molecules that must not be simulated. Each molecule is simulated `--each` times.
"""

import argparse
import functools
import itertools
import multiprocessing
import sys
from pathlib import Path

import numpy as np

_NEIGHBOURS = 1500  # a template is drawn from so many above and below in precursor m/z


@functools.cache
def prepared(templates, ranker):
    """(ranker, templates in order of m/z, their precursor m/z, m/z of all their peaks), once in each process."""
    from specbridge_tools.fragmentation.network.ranker_file import load_ranker
    from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks
    from specbridge_tools.fragmentation.training.simulate import Template
    from specbridge_tools.spectra.reader import read_spectra
    from specbridge_tools.spectra.spectrum import Spectrum

    pairs = []
    for spectrum in read_spectra(templates):
        if isinstance(spectrum, Spectrum) and len((peaks := prepare_peaks(spectrum)).mz):
            metadata = {key: spectrum.metadata[key] for key in ("collision_energy",) if key in spectrum.metadata}
            pairs.append((spectrum.precursor_mz, Template(peaks, metadata)))
    pairs.sort(key=lambda pair: pair[0])
    mz = np.array([pair[0] for pair in pairs])
    foreign_mz = np.concatenate([template.peaks.mz for _, template in pairs])
    return load_ranker(ranker), [template for _, template in pairs], mz, foreign_mz


def simulated(task, *, templates, ranker, excluded, each):
    """MGF text of one molecule's spectra; empty where it is excluded or cannot be cut."""
    from specbridge_tools.errors import DataError
    from specbridge_tools.fragmentation.training.simulate import simulate
    from specbridge_tools.molecules.chemistry import standardise
    from specbridge_tools.spectra.mgf import mgf_text

    number, smiles = task
    rng = np.random.default_rng((0, number))
    loaded, known, precursor_mz, foreign_mz = prepared(templates, ranker)
    try:
        form = standardise(smiles)
        if form.inchikey14 in excluded or "." in form.smiles:
            return ""
        place = np.searchsorted(precursor_mz, form.exact_mass)
        low, high = max(0, place - _NEIGHBOURS), min(len(known), place + _NEIGHBOURS)
        spectra = [
            simulate(loaded, form.smiles, form.exact_mass, known[rng.integers(low, high)], foreign_mz, rng,
                     name=f"simulated{number}.{i}")
            for i in range(each)
        ]  # fmt: skip
    except DataError:
        return ""
    return "".join(mgf_text(spectrum) for spectrum in spectra if spectrum is not None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("templates")
    parser.add_argument("molecules")
    parser.add_argument("--ranker", required=True)
    parser.add_argument("--exclude", required=True)
    parser.add_argument("--most", type=int, default=120_000)
    parser.add_argument("--each", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with open(options.molecules) as lines:
        column = next(lines).rstrip("\n").split("\t").index("smiles")
        smiles = [line.rstrip("\n").split("\t")[column] for line in lines]
    chosen = np.sort(np.random.default_rng(0).permutation(len(smiles))[: options.most])
    work = functools.partial(
        simulated,
        templates=options.templates,
        ranker=options.ranker,
        excluded=frozenset(Path(options.exclude).read_text().split()),
        each=options.each,
    )
    with multiprocessing.get_context("spawn").Pool(options.threads) as workers:
        tasks = zip(itertools.count(), (smiles[i] for i in chosen), strict=False)
        sys.stdout.writelines(workers.imap(work, tasks, chunksize=64))


if __name__ == "__main__":
    main()
