import numpy as np
from builders import spectrum

from specbridge_tools.spectra.batch import batch_peaks, highest_peaks


def test_the_highest_peaks_in_order_of_mz():
    mz, intensity = highest_peaks(spectrum([(50, 5), (60, 20), (70, 1), (80, 10)]), 2)
    assert mz.tolist() == [60, 80]
    assert intensity.tolist() == [1, 0.5]


def test_of_equal_peaks_the_first_are_kept():
    mz, _ = highest_peaks(spectrum([(50, 7), (60, 7), (70, 7)]), 2)
    assert mz.tolist() == [50, 60]


def test_batches_are_padded_with_zeros_and_cut_to_their_longest():
    batch = batch_peaks([spectrum([(50, 3)]), spectrum([(50, 1), (60, 2), (70, 4)])], 60)
    assert batch.mz.tolist() == [[50, 0, 0], [50, 60, 70]]
    assert batch.intensity.tolist() == [[1, 0, 0], [0.25, 0.5, 1]]
    assert batch.take(np.array([0])).mz.tolist() == [[50]]
    assert batch.take(np.array([0]), width=3).mz.tolist() == [[50, 0, 0]]
    assert batch_peaks([spectrum([(50, 3)])], 60, pad_to=4).mz.shape == (1, 4)
    assert len(batch_peaks([], 60)) == 0
