"""Train the first network of fragments of sb-train-ranking alone: the one that the others follow.

first_network.py SPECTRA INDEX FOLDER --epochs N [--threads N]

INDEX holds the molecules of the same mass. The network is FOLDER/first.safetensors; what was interrupted goes on.
"""

import argparse
import sys

from specbridge_tools.fragmentation.training.examples import measured_molecules
from specbridge_tools.fragmentation.training.networks import train_networks
from specbridge_tools.fragmentation.training.recipe import default_recipe
from specbridge_tools.identification.train_fragments import opened_isomers
from specbridge_tools.records import Tally
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.threads import available_threads


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("spectra", "index", "folder"):
        parser.add_argument(name)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    tally = Tally(noun="spectra")
    with opened_isomers([options.index]) as isomers:
        train_networks(
            measured_molecules(read_spectra(options.spectra), tally), isomers, default_recipe(options.epochs)[:1],
            folder=options.folder, n_processes=options.threads or available_threads(),
            after_epoch=lambda report: print(report, file=sys.stderr),
        )  # fmt: skip
    print(tally.summary(), file=sys.stderr)


if __name__ == "__main__":
    main()
