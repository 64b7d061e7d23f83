"""Windows that are too wide to tell a precursor, and the width that may be given."""

import pytest

from specbridge_tools.errors import UsageError
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.reading import Reading

R = (
    "BEGIN IONS\nTITLE=a\nPEPMASS=413\nISOLATIONWINDOWTARGETMZ=413\n"
    "ISOLATIONWINDOWLOWERMZ={}\nISOLATIONWINDOWUPPERMZ={}\n50 1\nEND IONS\n"
)


def window(below, above):
    values = {"MS:1000827": 413, "MS:1000828": below, "MS:1000829": above}
    parameters = "".join(f'<cvParam accession="{key}" name="" value="{value}"/>' for key, value in values.items())
    return (
        f"<precursor><isolationWindow>{parameters}</isolationWindow><selectedIonList><selectedIon>"
        '<cvParam accession="MS:1000744" name="" value="413"/></selectedIon></selectedIonList></precursor>'
    )


def mzml(make, below, above):
    return make.file(make.spectrum(precursors=window(below, above)))


def mzxml(make_mzxml, width):
    element = f'<precursorMz precursorIntensity="1" windowWideness="{width}">413</precursorMz>'
    return make_mzxml.file(make_mzxml.scan(num="1", precursors=element))


def test_a_given_width_lets_dia_pass_in_every_format(read, make, make_mzxml):
    for text in (R.format(400, 426), mzml(make, 13, 13), mzxml(make_mzxml, 26)):
        (rejected,) = read(text)
        assert rejected.reason == reasons.WIDE_ISOLATION
        assert rejected.detail.endswith("--isolation-width 26 lets it pass")
        assert read(text, widest_window=25)[0].reason == reasons.WIDE_ISOLATION
        (spectrum,) = read(text, widest_window=26)
        assert spectrum.precursor_mz == 413


def test_a_narrower_width_rejects_more(read, make):
    assert read(mzml(make, 2, 2))[0].precursor_mz == 413
    assert read(mzml(make, 2, 2), widest_window=3)[0].reason == reasons.WIDE_ISOLATION


@pytest.mark.parametrize("width", [0, -1, float("nan")])
def test_a_width_is_above_zero(width):
    with pytest.raises(UsageError, match="m/z above 0"):
        Reading(widest_window=width)
