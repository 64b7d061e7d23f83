import numpy as np

from specbridge_tools.records import Rejection
from specbridge_tools.spectra.choose import only
from specbridge_tools.spectra.spectrum import Spectrum


def test_what_is_not_wanted_is_rejected_where_it_stands():
    spectra = [
        Spectrum(
            name, 100.0, np.array([50.0]), np.ones(1, np.float32), adduct="[M+H]+", record=number, line=10 * number
        )
        for number, name in enumerate(["a", "b"], start=1)
    ]
    before = Rejection("no peaks", "c", 3)
    kept = list(only([*spectra, before], lambda spectrum: spectrum.id == "a", "too late"))
    assert kept == [spectra[0], Rejection("too late", "b", 2, 20), before]
