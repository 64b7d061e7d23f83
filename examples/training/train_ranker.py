"""Train the ranker of fragments: python train_ranker.py SPECTRA POOL -o ranker.safetensors

SPECTRA: MGF with SMILES; POOL: TSV (plain, .gz or .xz) of canonical molecules with the columns inchikey14, smiles and
exact_mass. Whole clusters of similar molecules are held back (--held-back lists them, else an eighth is drawn); the
recall on their spectra is reported after each epoch. An interrupted run continues from FILE.state after the last epoch.
"""

import argparse
import concurrent.futures
import dataclasses
import gzip
import logging
import lzma
import multiprocessing
import os
import socket
from pathlib import Path

import numpy as np

os.environ.setdefault("OMP_NUM_THREADS", "1")

from specbridge_tools.fragmentation.fragments.fragmenter import CAPACITY, COST_LIMIT
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.ranker_file import load_ranker, save_ranker

logger = logging.getLogger("train_ranker")


def read_pool(path):
    """(masses ascending, InChIKey blocks, SMILES) of a table of molecules."""
    opener = {".xz": lzma.open, ".gz": gzip.open}.get(Path(path).suffix, open)
    with opener(path, "rt") as file:
        header = file.readline().rstrip("\n").split("\t")
        key, smiles, mass = (header.index(name) for name in ("inchikey14", "smiles", "exact_mass"))
        rows = [line.rstrip("\n").split("\t") for line in file]
    masses = np.array([float(row[mass]) for row in rows])
    order = np.argsort(masses, kind="stable")
    return masses[order], [rows[i][key] for i in order], [rows[i][smiles] for i in order]


def read_molecules(path):
    """{InChIKey block: (standard form, spectra)} of the spectra with a structure."""
    from specbridge_tools.molecules.identity import structure
    from specbridge_tools.spectra.reader import read_spectra
    from specbridge_tools.spectra.spectrum import Spectrum

    molecules = {}
    for spectrum in read_spectra(path):
        if not isinstance(spectrum, Spectrum) or (form := structure(spectrum)) is None or "." in form.smiles:
            continue
        molecules.setdefault(form.inchikey14, (form, []))[1].append(spectrum)
    return molecules


def make_example(task):
    """One `Example`; in a worker process."""
    from specbridge_tools.errors import DataError
    from specbridge_tools.fragmentation.training.train import Example

    key, smiles, peaks = task
    ranker = Ranker([], {"capacity": CAPACITY, "limit": COST_LIMIT, "cosine_weight": 0, "fragment_weight": 1})
    candidates = []
    for position, text in enumerate(smiles):
        try:
            candidates.append(ranker.candidate(text))
        except DataError:
            if position == 0:
                return None
    return Example(key, candidates, peaks) if len(candidates) > 2 else None


def tasks(molecules, pool, held_back, *, n_spectra, n_decoys, n_held_back_decoys, n_held_back, seed):
    """Arguments of `make_example` for each molecule with a spectrum that shows fragments."""
    from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks

    masses, keys, smiles = pool
    known = sorted(held_back & set(molecules))
    ranked = set(np.random.default_rng(seed).permutation(known)[:n_held_back].tolist())
    for number, (key, (form, spectra)) in enumerate(sorted(molecules.items())):
        if key in held_back and key not in ranked:
            continue
        rng = np.random.default_rng((seed, number))
        low, high = np.searchsorted(masses, [form.exact_mass * (1 - 1e-5), form.exact_mass * (1 + 1e-5)])
        others = [row for row in rng.permutation(np.arange(low, high)) if keys[row] != key]
        others = others[: n_held_back_decoys if key in held_back else n_decoys]
        peaks = [prepare_peaks(spectra[index]) for index in rng.permutation(len(spectra))[: 3 * n_spectra]]
        peaks = [spectrum for spectrum in peaks if (~spectrum.at_precursor).any()][:n_spectra]
        if peaks and others:
            yield key, [form.smiles, *(smiles[row] for row in others)], peaks


def draw_held_back(molecules, seed, share=8):
    """InChIKey blocks of about one in `share` of the molecules, in whole structural clusters."""
    from specbridge_tools.evaluation.splits import group_molecules

    keys = sorted(molecules)
    groups = group_molecules([molecules[key][0].smiles for key in keys], "structure")
    sizes = np.bincount(groups)
    # the large families stay in training: one of them would make up all of what is held back
    rng = np.random.default_rng(seed)
    drawn = (rng.random(len(sizes)) < 1 / share) & (sizes <= len(keys) / 50)
    return {key for key, group in zip(keys, groups, strict=True) if drawn[group]}


def held_back_recall(ranker, examples):
    """Recall at 1, 5 and 20 over the spectra (ties at the expected rank), and the mean number of candidates."""
    from specbridge_tools.hits.expected_rank import RECALL_CUTOFFS, expected_recall, tie_counts

    scores = [
        evidence.score.round(5)
        for example in examples
        for evidence in ranker.evidence(list(map(ranker.encode, example.candidates)), example.peaks)
    ]
    above, tied = np.transpose([tie_counts(score, 0) for score in scores])  # the first candidate is the truth
    recalls = [expected_recall(above, tied, k).mean() for k in RECALL_CUTOFFS]
    return recalls, np.mean([len(score) for score in scores])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spectra")
    parser.add_argument("pool")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--held-back", help="file with one InChIKey block a line")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--molecules", type=int, default=8, help="in one step")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--weight-decay", type=float, default=1e-2)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--drop-peaks", type=float, default=0.2)
    parser.add_argument("--move-intensity", type=float, default=0.3)
    parser.add_argument("--spectra-each", type=int, default=4)
    parser.add_argument("--decoys", type=int, default=20, help="of a molecule in one step")
    parser.add_argument("--decoys-each", type=int, default=40, help="from which they are drawn")
    parser.add_argument("--held-back-decoys", type=int, default=150)
    parser.add_argument("--held-back-molecules", type=int, default=200, help="how many of them are ranked each epoch")
    parser.add_argument("--widths", type=int, nargs=3, default=(32, 48, 32))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--teacher", nargs="+", help="rankers whose networks' mean is learned as well (distillation)")
    parser.add_argument("--start-from", help="a ranker whose first network, of the same widths, is trained further")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    run(options, *make_examples(options))


def run(options, training, validation, held_back):
    """Train in `options.threads` processes that have the examples in common."""
    from torch.multiprocessing import start_processes

    with socket.create_server(("localhost", 0)) as free:
        port = str(free.getsockname()[1])
    arguments = (port, options, training, validation, held_back)
    start_processes(train_ranker, arguments, nprocs=options.threads, start_method="fork")


def make_examples(options):
    """(`Example`s to train on, those to validate on, InChIKey blocks that are held back)."""
    molecules = read_molecules(options.spectra)
    if options.held_back:
        held_back = set(Path(options.held_back).read_text().split())
    else:
        held_back = draw_held_back(molecules, options.seed)
    logger.info("%d molecules, %d held back", len(molecules), len(held_back & set(molecules)))
    work = tasks(
        molecules,
        read_pool(options.pool),
        held_back,
        n_spectra=options.spectra_each,
        n_decoys=options.decoys_each,
        n_held_back_decoys=options.held_back_decoys,
        n_held_back=options.held_back_molecules,
        seed=options.seed,
    )
    with concurrent.futures.ProcessPoolExecutor(options.threads, multiprocessing.get_context("spawn")) as workers:
        examples = [example for example in workers.map(make_example, work, chunksize=8) if example is not None]
    training = [example for example in examples if example.inchikey14 not in held_back]
    validation = [example for example in examples if example.inchikey14 in held_back]
    logger.info("%d molecules to train on, %d to validate on", len(training), len(validation))
    return training, validation, held_back


def train_ranker(rank, port, options, training, validation, held_back):
    """Train with the others of `options.threads` processes, and write the ranker as the first of them."""
    import torch

    from specbridge_tools.fragmentation.network.torch_network import TrainableNetwork
    from specbridge_tools.fragmentation.training.train import TrainingOptions, train
    from specbridge_tools.processes import open_processes

    # the arrays of one molecule are too small to gain from a second thread
    torch.set_num_threads(1)
    os.environ |= {
        "RANK": f"{rank}",
        "WORLD_SIZE": f"{options.threads}",
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": port,
    }
    settings = TrainingOptions(
        epochs=options.epochs,
        molecules=options.molecules,
        decoys=options.decoys,
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
        drop_peaks=options.drop_peaks,
        move_intensity=options.move_intensity,
        seed=options.seed,
    )
    torch.manual_seed(options.seed)
    names = ("atom_size", "hidden_size", "last_size")
    network = TrainableNetwork(**dict(zip(names, options.widths, strict=True)), dropout=options.dropout)
    if options.start_from:
        network.set_weights(load_ranker(options.start_from).networks[0])
    teacher = None
    if options.teacher:
        teachers = [load_ranker(path) for path in options.teacher]
        teacher = Ranker([weights for each in teachers for weights in each.networks], teachers[0].config)
    config = {
        "capacity": CAPACITY,
        "limit": COST_LIMIT,
        "cosine_weight": 0.0,
        "fragment_weight": 1.0,
        "training": dataclasses.asdict(settings),
        "held_back": sorted(held_back),
    }

    def after_epoch(epoch, loss):
        ranker = Ranker([network.weights()], config)
        recalls, length = held_back_recall(ranker, validation)
        logger.info("epoch %d held back: R@1 %.3f R@5 %.3f R@20 %.3f of %.0f", epoch, *recalls, length)
        config["held_back_recall"] = [round(float(value), 4) for value in recalls]

    with open_processes(torch.device("cpu")) as (processes, _):
        state = f"{options.output}.state"
        train(
            network,
            training,
            settings,
            teacher=teacher,
            after_epoch=after_epoch,
            state_path=state,
            processes=processes,
        )
        if processes.is_first:
            # not before: who finds the file takes it for finished
            save_ranker(Ranker([network.weights()], config), options.output)


if __name__ == "__main__":
    main()
