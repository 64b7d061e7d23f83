import numpy as np
from builders import spectrum
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.reference.peaks import HIGHEST, MOST_PEAKS, TOLERANCE, clean

PEAKS = st.lists(st.tuples(st.floats(20, 600), st.floats(1e-3, 1e6)), min_size=1, max_size=60)


def test_units_and_relative_intensities():
    cleaned = clean(spectrum([(50.00004, 10), (80.1, 5), (152.0706, 20)], precursor_mz=152.0706, charge=1, polarity=1))
    assert cleaned.mz.tolist() == [500_000, 801_000, 1_520_706]
    assert cleaned.intensity.tolist() == [32_768, 16_384, HIGHEST]
    assert (cleaned.precursor, cleaned.polarity, cleaned.charge) == (1_520_706, 1, 1)


def test_noise_is_dropped_before_the_highest_peak_is_looked_for():
    cleaned = clean(spectrum([(50.0, 1), (60.0, 0.009), (70.0, 0.011), (200.0, 1e6)], precursor_mz=152.07))
    assert cleaned.mz.tolist() == [500_000, 700_000]


def test_ions_of_several_charges_have_fragments_above_their_precursor():
    assert clean(spectrum([(50.0, 1), (200.0, 1)], precursor_mz=152.07, charge=2)).mz.tolist() == [500_000, 2_000_000]


def test_of_near_peaks_the_highest_stays():
    assert clean(spectrum([(50.0, 1), (50.015, 3), (50.03, 2), (50.036, 2)])).mz.tolist() == [500_150, 500_360]


def test_the_polarity_is_that_of_the_charge_where_nothing_else_says_it():
    assert clean(spectrum(charge=-1)).polarity == -1


def test_nothing_may_be_left():
    cleaned = clean(spectrum([(300.0, 1)], precursor_mz=152.07))
    assert (len(cleaned.mz), len(cleaned.intensity)) == (0, 0)


def test_only_so_many_peaks_stay():
    peaks = [(50 + 0.1 * i, 1 + (i % 2)) for i in range(2 * MOST_PEAKS)]
    cleaned = clean(spectrum(peaks, precursor_mz=1000))
    assert len(cleaned.mz) == MOST_PEAKS
    assert (cleaned.intensity == HIGHEST).all()


@given(PEAKS)
def test_peaks_are_apart_and_cleaning_again_changes_nothing(peaks):
    cleaned = clean(spectrum(peaks, precursor_mz=700.0))
    assert (np.diff(cleaned.mz) > 2 * TOLERANCE).all()
    assert cleaned.intensity.max() == HIGHEST
    again = clean(spectrum(list(zip(cleaned.mz / 1e4, cleaned.intensity, strict=True)), precursor_mz=700.0))
    assert again.mz.tolist() == cleaned.mz.tolist()
    assert again.intensity.tolist() == cleaned.intensity.tolist()
