import numpy as np
import plain_similarity as plain
import pytest
from builders import spectrum
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.reference.peak_index import PeakIndex
from specbridge_tools.reference.peaks import CleanSpectrum, clean
from specbridge_tools.reference.spectra import SpectrumTable

PEAK = st.tuples(
    st.sampled_from([50.0, 52.0146, 60.01, 71.0, 83.5, 100.0, 119.99]), st.sampled_from([-0.01, 0.0, 0.004, 0.02])
)
SPECTRUM = st.builds(
    lambda peaks, precursor, charge: clean(
        spectrum([(mz + shift, height) for (mz, shift), height in peaks], precursor_mz=precursor, charge=charge)
    ),
    st.lists(st.tuples(PEAK, st.floats(1, 90)), min_size=1, max_size=12),
    st.sampled_from([90.0, 110.0, 120.004, 152.07, 169.0]),
    st.sampled_from([-1, 0, 1, 2]),
)


def table(spectra, molecules=None):
    sizes = [len(each.mz) for each in spectra]
    return SpectrumTable(
        np.array(range(len(spectra)) if molecules is None else molecules, np.int32),
        np.array([each.precursor for each in spectra], np.int32),
        np.array([each.polarity for each in spectra], np.int8),
        np.array([each.charge for each in spectra], np.int8),
        np.full(len(spectra), np.nan, np.float32),
        np.cumsum([0, *sizes]),
        np.concatenate([np.zeros(0, np.int32), *(each.mz for each in spectra)]),
        np.concatenate([np.zeros(0, np.uint16), *(each.intensity for each in spectra)]),
    )


@pytest.mark.slow
@given(st.lists(SPECTRUM, min_size=1, max_size=8), SPECTRUM)
def test_the_search_equals_the_definition(library, query):
    index = PeakIndex(table(library), len(library))
    found = index.compare(query)
    for row, each in enumerate(library):
        # weights of a library are stored as float32
        assert found[:, row] == pytest.approx(plain.open_search(query, each), abs=1e-6)
    assert (found >= 0).all()
    assert (found <= 1 + 1e-6).all()
    similarities = index.search([query])
    for row, each in enumerate(library):
        near = abs(query.precursor - each.precursor) <= 100 and query.polarity * each.polarity >= 0
        expected = plain.same_ion(query, each) if near else 0
        assert similarities.same_ion.similarity[row] == pytest.approx(expected, abs=1e-12)


@pytest.mark.slow
@given(st.lists(SPECTRUM, min_size=2, max_size=6), SPECTRUM)
def test_what_else_is_in_the_library_changes_no_bit(library, query):
    whole = PeakIndex(table(library), len(library)).compare(query)
    for row, each in enumerate(library):
        assert (PeakIndex(table([each]), 1).compare(query)[:, 0] == whole[:, row]).all()


def test_a_spectrum_is_most_like_itself():
    query = clean(spectrum([(50.0, 3), (71.0, 8), (100.0, 1), (152.07, 9)], precursor_mz=152.07, polarity=1))
    index = PeakIndex(table([query]), 1)
    found = index.search([query])
    assert found.same_ion.similarity.tolist() == [pytest.approx(1)]
    assert found.hybrid[0].similarity.tolist() == [pytest.approx(1)]
    assert found.same_polarity_fragments.similarity.tolist() == [0]  # of other ions alone
    assert found.same_ion.spectrum.tolist() == [0]
    assert found.same_polarity_fragments.spectrum.tolist() == [-1]


def ion(precursor, polarity, peaks=((50.0, 1), (71.0, 1))):
    return clean(spectrum(peaks, precursor_mz=precursor, polarity=polarity))


def test_each_kind_of_evidence_has_its_spectra():
    query = ion(152.07, 1)
    two_protons_less = ion(150.055, -1, [(47.9854, 1), (68.9854, 1)])
    library = [ion(152.075, 1), ion(174.05, 1), two_protons_less, ion(196.06, -1)]
    found = PeakIndex(table(library, [0, 0, 0, 1]), 2).search([query])
    assert found.same_ion.similarity.tolist() == [pytest.approx(1), 0]
    assert found.same_polarity_fragments.similarity.tolist() == [pytest.approx(1), 0]
    assert found.same_polarity_fragments.spectrum.tolist() == [1, -1]
    assert found.same_polarity_losses.similarity.tolist() == [0, 0]
    assert found.other_polarity_fragments.similarity.tolist() == [pytest.approx(1), pytest.approx(1)]
    assert found.other_polarity_fragments.spectrum.tolist() == [2, 3]
    assert found.hybrid[0].similarity.tolist() == [pytest.approx(1), 0]


@pytest.mark.parametrize("polarity", [1, -1])
def test_fragments_of_the_other_polarity_are_the_same_or_two_protons_apart_and_count_once(polarity):
    """[F + H]+ and [F - H]- are one neutral piece; a cation that lost a hydride and that anion have one composition."""
    two_protons = 2 * 1.007276
    query = ion(152.07, polarity, [(60.0, 1), (80.0, 1), (100.0, 1)])
    shifted = ion(
        152.07 - polarity * two_protons, -polarity, [(mz - polarity * two_protons, 1) for mz in (60, 80, 100)]
    )
    one_of_each = ion(196.06, -polarity, [(60.0, 1), (80 - polarity * two_protons, 1), (120.0, 1)])
    twice = ion(196.06, -polarity, [(60.0, 1), (60 - polarity * two_protons, 1)])
    found = PeakIndex(table([shifted, one_of_each, twice]), 3).search([query]).other_polarity_fragments.similarity
    assert found[:2] == pytest.approx([1, 2 / 3])
    assert found[2] == PeakIndex(table([twice]), 1).compare(query)[0, 0]  # its second peak has no partner left


def test_an_unknown_polarity_may_be_either():
    found = PeakIndex(table([ion(152.07, 0), ion(152.07, 1)]), 2).search([ion(152.07, 1)])
    assert found.same_ion.similarity.tolist() == [pytest.approx(1)] * 2


def test_of_several_spectra_the_best_counts_and_of_equal_ones_the_first():
    library = [ion(152.07, 1, [(50.0, 1), (90.0, 1)]), ion(152.07, 1), ion(152.07, 1)]
    found = PeakIndex(table(library, [0, 0, 0]), 1).search([ion(152.07, 1, [(90.0, 1)]), ion(152.07, 1)])
    assert found.same_ion.similarity.tolist() == [pytest.approx(1)]
    assert found.same_ion.spectrum.tolist() == [1]


def test_what_is_left_out_is_as_if_it_were_not_there():
    library = [ion(152.07, 1), ion(174.05, 1)]
    found = PeakIndex(table(library), 2).search([ion(152.07, 1)], np.array([True, False]))
    assert found.same_ion.similarity.tolist() == [0, 0]
    assert found.hybrid[0].similarity.tolist() == [0, pytest.approx(1)]


def test_an_empty_library_has_nothing_to_say():
    found = PeakIndex(table([]), 0).search([ion(152.07, 1)])
    assert found.same_ion.similarity.tolist() == []


def test_a_query_without_fragments_is_like_nothing():
    query = CleanSpectrum(1_520_700, 1, 1, np.zeros(0, np.int32), np.zeros(0, np.uint16))
    assert PeakIndex(table([ion(152.07, 1)]), 1).compare(query).tolist() == [[0], [0], [0], [0]]
