"""How fast the published DreaMS network is: `python tests/benchmarks/dreams.py [--spectra N]`.

Writes a full-size checkpoint in the published layout with random weights, reads it as `dreams:PATH`, and encodes
spectra of `examples/`: by our encoder, then by the literal reference, which pads to the fixed length and builds the
pairwise bias in full, then by ours again. Prints TSV: milliseconds a spectrum of both, how many times quicker ours is
by the clock and in CPU time, which a busy machine changes less, the largest relative error, and our peak memory.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.encoders.spectral.dreams.network import DreamsConfig, DreamsNetwork
from specbridge_tools.records import Rejection
from specbridge_tools.spectra.batch import batch_peaks
from specbridge_tools.spectra.reader import read_spectra

EXAMPLES = Path(__file__).parents[2] / "examples" / "spectra.mgf"
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "encoders" / "spectral" / "dreams"))


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
    """The result, and the seconds by the clock and of the CPU."""
    clock, cpu = time.perf_counter(), time.process_time()
    result = function(*arguments)
    return result, np.array([time.perf_counter() - clock, time.process_time() - cpu])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spectra", type=int, default=256)
    parser.add_argument("--checkpoint", type=Path, help="a published one, instead of random weights")
    parser.add_argument("--peaks", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.checkpoint or Path(folder) / "ssl_model.ckpt"
        if arguments.checkpoint is None:
            write_checkpoint(path)
        encoder = SPECTRUM_ENCODERS.create(f"dreams:{path},n_peaks={arguments.peaks}")
    spectra = example_spectra(arguments.spectra)
    encoder.encode(spectra[:8])
    found, ours = timed(encoder.encode, spectra)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    expected, literal = timed(literal_rows, encoder, spectra)
    _, again = timed(encoder.encode, spectra)
    ours = (ours + again) / 2
    error = np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1)
    print("spectra\tpeaks\tthreads\tliteral_ms\tours_ms\tratio\tcpu_ratio\tlargest_relative_error\tpeak_memory")
    clocks = "\t".join(f"{1000 * seconds[0] / len(spectra):.1f}" for seconds in (literal, ours))
    ratios = "\t".join(f"{value:.1f}" for value in literal / ours)
    sizes = f"{len(spectra)}\t{arguments.peaks}\t{torch.get_num_threads()}"
    print(f"{sizes}\t{clocks}\t{ratios}\t{error.max():.1e}\t{memory:.2f} GiB")


if __name__ == "__main__":
    main()
