"""Train the network of fragments of a finished model once more, on all molecules, those held back too.

python train_on_all.py FITTED BRIDGE SPECTRA OUTPUT --index INDEX --checkpoints DIR [--fragments-from MODEL]
    [--epochs N] [--threads N]

FITTED was made by sb-train-ranking with molecules held back: weights, probabilities and answer sets are its own, since
no molecules would be left to fit them to. BRIDGE, of sb-finetune on all SPECTRA, gives encoder and projector. The
network of --fragments-from (default: that of FITTED) is trained further.
"""

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path


def main(options):
    from specbridge_tools.bridge.checkpoint import load_model, save_model
    from specbridge_tools.fragmentation.network.ranker_file import add_ranker, load_ranker
    from specbridge_tools.identification.train_fragments import FragmentTraining, train_fragments
    from specbridge_tools.ranking.ranking_file import add_ranking, find_ranking
    from specbridge_tools.records import Tally
    from specbridge_tools.spectra.reader import read_spectra
    from specbridge_tools.threads import available_threads

    tally = Tally(noun="spectra")
    training = FragmentTraining(
        read_spectra(options.spectra), options.checkpoints, tally, epochs=options.epochs,
        n_processes=options.threads or available_threads(), after_epoch=lambda report: print(report, file=sys.stderr),
    )  # fmt: skip
    weighed = load_ranker(options.fitted)
    start = load_ranker(options.fragments_from) if options.fragments_from else weighed
    trained = train_fragments(training, held_back=[], index=options.index, start=start)

    fitted, model, ranking = load_model(options.fitted), load_model(options.bridge), find_ranking(options.fitted)
    model.calibration = fitted.calibration
    model.training_summary["fitted_to"] = fitted.training_summary["validation_keys"]
    with tempfile.TemporaryDirectory() as folder:
        calibrated, ranked = Path(folder) / "calibrated", Path(folder) / "ranked"
        save_model(model, calibrated, half=True)
        add_ranker(dataclasses.replace(weighed, networks=trained.networks), calibrated, ranked)
        add_ranking(ranking, ranked, options.output, force=True)
    print(tally.summary(), file=sys.stderr)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("fitted", "bridge", "spectra", "output"):
        parser.add_argument(name)
    for name in ("--index", "--checkpoints"):
        parser.add_argument(name, required=True)
    parser.add_argument("--fragments-from")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--threads", type=int)
    return parser.parse_args()


if __name__ == "__main__":
    main(arguments())
