"""How fast the published DreaMS network is: `python tests/benchmarks/dreams.py [--spectra N] [--literal N]`.

Writes a full-size checkpoint in the published layout with random weights, reads it as `dreams:PATH`, encodes the
spectra of `examples/`, and a few of them by the literal reference, which pads to the fixed length and builds the
pairwise bias in full. Prints TSV: spectra/s of both, their ratio, the largest relative error, our peak memory.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from specbridge_tools.encoders.dreams_network import DreamsConfig, DreamsNetwork
from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.records import Rejection
from specbridge_tools.spectra.batch import batch_peaks
from specbridge_tools.spectra.reader import read_spectra

EXAMPLES = Path(__file__).parents[2] / "examples" / "spectra.mgf"
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "encoders"))


def write_checkpoint(path, *, seed=0, **changes):
    """A checkpoint in the published layout with random weights, of the published size without `changes`."""
    torch.manual_seed(seed)
    network = DreamsNetwork(DreamsConfig.official(**changes))
    state = dict(network.state_dict())
    state["fourier_enc.Fourier frequencies"] = state["fourier_enc.b"]
    state["ff_out.ff.0.weight"] = torch.zeros(8, network.config.width)
    torch.save({"state_dict": state, "epoch": 0}, path)


def example_spectra(n, path=EXAMPLES):
    """n spectra: those of the file, over and over."""
    spectra = [record for record in read_spectra(path) if not isinstance(record, Rejection)]
    return [spectra[i % len(spectra)] for i in range(n)]


def literal_rows(encoder, spectra):
    """The precursor token of each spectrum by the literal reference -> (n, width)."""
    from dreams_literal import literal_embedding

    state = encoder.network.state_dict()
    peaks = batch_peaks(spectra, encoder.n_peaks, pad_to=encoder.n_peaks)
    with torch.inference_mode():
        rows = [
            literal_embedding(state, encoder.config, mz_of.item(), mz.tolist(), intensity.tolist())[0]
            for mz_of, mz, intensity in zip(peaks.precursor_mz, peaks.mz, peaks.intensity, strict=True)
        ]
    return torch.stack(rows).numpy()


def timed(function, *arguments):
    began = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spectra", type=int, default=256)
    parser.add_argument("--literal", type=int, default=16, help="how many of them the reference gets")
    parser.add_argument("--checkpoint", type=Path, help="a published one, instead of random weights")
    parser.add_argument("--peaks", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.checkpoint or Path(folder) / "ssl_model.ckpt"
        if arguments.checkpoint is None:
            write_checkpoint(path)
        encoder, seconds = timed(SPECTRUM_ENCODERS.create, f"dreams:{path},n_peaks={arguments.peaks}")
    print(f"read\t{seconds:.1f} s")
    spectra = example_spectra(arguments.spectra)
    found, seconds = timed(encoder.encode, spectra)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    ours = len(spectra) / seconds
    print(f"specbridge_tools\t{ours:.1f} spectra/s\tpeak {peak:.2f} GiB")
    some = np.linspace(0, len(spectra) - 1, arguments.literal).astype(int)
    expected, seconds = timed(literal_rows, encoder, [spectra[i] for i in some])
    literal = len(some) / seconds
    error = np.linalg.norm(found[some] - expected, axis=1) / np.linalg.norm(expected, axis=1)
    print(f"literal reference\t{literal:.1f} spectra/s")
    print(f"ratio\t{ours / literal:.1f}\tlargest relative error {error.max():.1e}")


if __name__ == "__main__":
    main()
