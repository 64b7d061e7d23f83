import numpy as np
import plain_similarity as plain
import pytest
from builders import spectrum

from specbridge_tools.reference.peaks import clean
from specbridge_tools.reference.similarity import are_fragments, entropy_weights, gain, same_ion_similarity

# of the package of the authors, ms_entropy 1.5.3: calculate_entropy_similarity with ms2_tolerance_in_da=0.01,
# clean_spectra=False, of the peaks in the first two columns
PUBLISHED = [
    (
        [(69.071, 7.917962), (86.066, 1.021589), (86.0969, 100.0)],
        [(41.04, 37.16), (69.07, 66.83), (86.1, 999.0)],
        0.838088,
    ),
    (
        [(50.0, 1), (60.0, 2), (70.0, 3), (80.0, 4)],
        [(60.005, 5), (70.0, 1), (81.0, 2)],
        0.567472,
    ),
    ([(50.0 + i, 1) for i in range(40)], [(50.0 + 2 * i, 1 + i) for i in range(40)], 0.327189),
]


@pytest.mark.parametrize(("first", "second", "similarity"), PUBLISHED)
def test_it_is_what_the_authors_compute(first, second, similarity):
    a, b = (clean(spectrum(peaks, precursor_mz=200.0)) for peaks in (first, second))
    assert same_ion_similarity(a, b) == pytest.approx(similarity, abs=2e-4)  # intensities are whole numbers here
    assert same_ion_similarity(a, b) == pytest.approx(plain.same_ion(a, b), abs=1e-12)


def test_it_is_symmetrical_and_1_for_the_same():
    a = clean(spectrum([(50.0, 1), (60.0, 2)], precursor_mz=90.0))
    b = clean(spectrum([(50.003, 5), (71.0, 2)], precursor_mz=90.0))
    assert same_ion_similarity(a, b) == pytest.approx(same_ion_similarity(b, a), abs=1e-15)
    assert same_ion_similarity(a, a) == pytest.approx(1, abs=1e-15)


def test_weights_of_what_is_not_kept_are_0():
    weights = entropy_weights(np.array([1, 2, 1], np.uint16), np.array([True, False, True]))
    assert weights.tolist() == [0.5, 0, 0.5]
    assert entropy_weights(np.array([1], np.uint16), np.array([False])).tolist() == [0]


def test_fragments_lie_below_the_precursor():
    mz = np.array([1_000_000, 1_503_000, 1_504_001, 1_520_000, 1_700_000], np.int32)
    assert are_fragments(mz, 1_520_000, 1).tolist() == [True, True, False, False, False]
    assert are_fragments(mz, 1_520_000, -2).tolist() == [True, True, False, False, True]


def test_two_whole_spectra_of_one_peak_share_all():
    assert gain(1.0, 1.0) == 1
