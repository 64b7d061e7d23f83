"""mzML: levels, precursors, arrays, parameter groups; damage in the XML."""

import collections
import gzip
import io
import logging

import numpy as np
import pytest

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.spectra.reader import read_spectra


def test_a_spectrum(read_one, make):
    ion = (
        make.parameter("MS:1000744", "381.0795") + make.parameter("MS:1000041", "2") + make.parameter("MS:1000042", "5")
    )
    energy = make.parameter("MS:1000045", "35.0", "UO:0000266")
    time = f"<scanList><scan>{make.parameter('MS:1000016', '1.5', 'UO:0000031')}</scan></scanList>"
    spectrum = read_one(make.file(make.spectrum(ion=ion, energy=energy, extra=time)))
    assert spectrum.id == "controllerType=0 controllerNumber=1 scan=7"
    assert spectrum.precursor_mz == 381.0795
    assert (spectrum.charge, spectrum.polarity, spectrum.adduct) == (2, 1, None)
    assert spectrum.mz.tolist() == [100, 200]
    assert spectrum.intensity.tolist() == [10, 20]
    assert spectrum.intensity.dtype == np.float32
    assert (spectrum.record, spectrum.line) == (1, 3)
    assert dict(spectrum.metadata) == {
        "scans": "7",
        "mslevel": "2",
        "ionmode": "positive",
        "rtinseconds": "90",
        "precursor_intensity": "5",
        "collision_energy": "35.0 eV",
    }


def test_negative_scans_give_the_charge_its_sign(read_one, make):
    spectrum = read_one(make.file(make.spectrum(polarity="MS:1000129")))
    assert (spectrum.charge, spectrum.polarity) == (-1, -1)


@pytest.mark.parametrize("dtype", ["<f4", "<f8", "<i4", "<i8"])
@pytest.mark.parametrize("compress", [True, False])
def test_array_types(read_one, make, dtype, compress):
    arrays = make.array([100, 200], "m/z", dtype=dtype, compress=compress)
    arrays += make.array([1, 2], "intensity", dtype=dtype, compress=compress)
    spectrum = read_one(make.file(make.spectrum(arrays=arrays)))
    assert spectrum.mz.tolist() == [100, 200]
    assert spectrum.intensity.tolist() == [1, 2]


def test_base64_with_line_breaks(read_one, make):
    text = make.file(make.spectrum(np.arange(1.0, 50), np.arange(1.0, 50)))
    at = text.index("<binary>") + 20
    assert read_one(text[:at] + "\n  " + text[at:]).n_peaks == 49


def test_parameter_groups(read, make):
    skipped = collections.Counter()
    groups = "".join(
        f'<referenceableParamGroup id="{name}">{"".join(parameters)}</referenceableParamGroup>'
        for name, parameters in {
            "one": [make.parameter("MS:1000511", "1")],
            "two": [make.parameter("MS:1000511", "2"), make.parameter("MS:1000129")],
        }.items()
    )
    spectra = [
        make.spectrum(level=None, polarity=None, extra=f'<referenceableParamGroupRef ref="{name}"/>')
        for name in ("one", "two")
    ]
    (spectrum,) = read(make.file(*spectra, groups=groups), skipped=skipped)
    assert (spectrum.polarity, spectrum.record) == (-1, 2)
    assert skipped == {"MS1": 1}


def test_ms1_and_light_are_skipped_and_logged(make, caplog):
    light = make.spectrum(level=None, extra=make.parameter("MS:1000804"))
    first = make.spectrum(level="1", precursors="")
    other = make.spectrum(level=None, extra=make.parameter("MS:1000579"))
    source = io.BytesIO(make.file(first, light, other, make.spectrum()).encode())
    skipped = collections.Counter()
    with caplog.at_level(logging.INFO):
        records = list(read_spectra(source, skipped=skipped))
    assert [record.record for record in records] == [4]
    assert skipped == {"MS1": 2, "not a mass spectrum": 1}
    assert "2 spectra skipped (MS1)" in caplog.text


def test_isolation_window_where_there_is_no_ion(read_one, make):
    window = f"<precursor><isolationWindow>{make.parameter('MS:1000827', '500.5')}</isolationWindow></precursor>"
    assert read_one(make.file(make.spectrum(precursors=window))).precursor_mz == 500.5


def test_energies(read_one, make):
    ramp = make.parameter("MS:1002013", "20") + make.parameter("MS:1002014", "40")
    for energy, text in [
        (ramp, "Ramp 20-40 eV"),
        (make.parameter("MS:1000138", "30"), "30 NCE"),
        (make.parameter("MS:1000045", "30"), "30"),
    ]:
        assert read_one(make.file(make.spectrum(energy=energy))).metadata["collision_energy"] == text


@pytest.mark.parametrize("level", ["3", "4", "10"])
def test_deeper_scans_are_counted_as_skipped(read, make, level):
    ions = [f"<selectedIon>{make.parameter('MS:1000744', mz)}</selectedIon>" for mz in ("163.06", "381.08")]
    ions = "".join(f"<precursor><selectedIonList>{ion}</selectedIonList></precursor>" for ion in ions)
    skipped = collections.Counter()
    (spectrum,) = read(make.file(make.spectrum(), make.spectrum(level=level, precursors=ions)), skipped=skipped)
    assert spectrum.record == 1
    assert skipped == {"MS3 or deeper": 1}


def isolated(make, *, ion="194.1176", target="195.0877", below="0.5", above="0.5"):
    """A precursor with its isolation window; "" for what is not stated."""
    stated = {"MS:1000827": target, "MS:1000828": below, "MS:1000829": above}
    window = "".join(make.parameter(accession, value) for accession, value in stated.items() if value)
    ion = make.parameter("MS:1000744", ion) if ion else ""
    ions = f"<selectedIonList><selectedIon>{ion}</selectedIon></selectedIonList>"
    return f"<precursor><isolationWindow>{window}</isolationWindow>{ions}</precursor>"


@pytest.mark.parametrize(
    ("window", "precursor_mz", "selected"),
    [
        ({}, 195.0877, "194.1176"),
        ({"ion": "195.09"}, 195.09, None),
        ({"ion": "194.58"}, 194.58, None),  # windows are written with few digits
        ({"ion": "0"}, 195.0877, "0"),
        ({"ion": "0.0", "below": "", "above": ""}, 195.0877, "0.0"),
        ({"ion": ""}, 195.0877, None),
        ({"below": "0", "above": "0"}, 194.1176, None),
        ({"ion": "500", "below": "0", "above": "0"}, 195.0877, "500"),
        ({"ion": "500", "below": "", "above": ""}, 195.0877, "500"),
        ({"ion": "500", "target": ""}, 500, None),
        ({"ion": "200.0", "below": "5", "above": "5"}, 200, None),
        ({"ion": "413.3", "target": "413.3", "below": "5", "above": "5"}, 413.3, None),
    ],
)
def test_a_precursor_is_within_its_isolation_window(read_one, make, window, precursor_mz, selected):
    spectrum = read_one(make.file(make.spectrum(precursors=isolated(make, **window))))
    assert spectrum.precursor_mz == precursor_mz
    assert spectrum.metadata.get("selected_ion_mz") == selected


@pytest.mark.parametrize("ion", ["413.0", "0", ""])
def test_no_precursor_is_told_by_a_window_of_dia(read, make, ion):
    (rejection,) = read(
        make.file(make.spectrum(precursors=isolated(make, ion=ion, target="413", below="13", above="13")))
    )
    assert (rejection.reason, rejection.id) == (
        "isolation window too wide",
        "controllerType=0 controllerNumber=1 scan=7",
    )
    assert rejection.detail.startswith("400 to 426")


def test_no_namespace_indexed_and_gzip(read, make, same_spectra):
    plain = make.file(make.spectrum(), make.spectrum())
    whole = read(plain)
    assert len(whole) == 2
    same_spectra(read(plain.replace(' xmlns="http://psi.hupo.org/ms/mzml"', "")), whole)
    same_spectra(read(gzip.compress(plain.encode())), whole)
    head, body = plain.split("\n", 1)
    indexed = f'{head}\n<indexedmzML xmlns="http://psi.hupo.org/ms/mzml">{body}<indexList count="1"/></indexedmzML>'
    same_spectra(read(indexed), whole)


def test_a_document_type_is_refused(read, make):
    head, body = make.file(make.spectrum()).split("\n", 1)
    with pytest.raises(FormatError, match="document type"):
        read(f'{head}\n<!DOCTYPE mzML [<!ENTITY a "aaaa">]>\n{body}')


def test_a_file_that_is_cut_off_gives_its_whole_spectra_then_an_error(make):
    text = make.file(*[make.spectrum()] * 3)
    cut = text[: text.rindex("<binary>")].encode()
    spectra = read_spectra(io.BytesIO(cut))
    assert [next(spectra).record, next(spectra).record] == [1, 2]
    with pytest.raises(DataError, match=r"broken or cut off XML .* copy or convert"):
        next(spectra)


def test_forced_mzml_of_other_xml(read):
    with pytest.raises(FormatError, match="not mzML"):
        read("<a/>", input_format="mzml")


def test_memory_stays_small(read, make):
    # each spectrum is emptied after use: the parent holds one, not a thousand
    import tracemalloc

    text = make.file(*[make.spectrum(np.arange(1.0, 500), np.arange(1.0, 500))] * 300).encode()
    tracemalloc.start()
    n_read = sum(1 for _ in read_spectra(io.BytesIO(text)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_read == 300
    assert peak < 8 << 20
