"""MS-Numpress: the same numbers as pynumpress, in mzML with and without zlib; damaged bytes are one rejection."""

import base64
import zlib

import numpy as np
import pynumpress
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specbridge_tools.records import Rejection
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.numpress import LINEAR, PIC, SLOF

MZ = np.array([100.0, 200.0, 300.00005, 400.0001])
INTENSITY = np.array([100.0, 200.0, 300.0, 40000.0])
CODES = {"linear": LINEAR, "pic": PIC, "slof": SLOF}
ACCESSIONS = {
    ("linear", False): ["MS:1002312"],
    ("pic", False): ["MS:1002313"],
    ("slof", False): ["MS:1002314"],
    ("linear", True): ["MS:1002746"],
    ("pic", True): ["MS:1002747"],
    ("slof", True): ["MS:1002748"],
}


def packed(values, code):
    values = np.asarray(values, np.float64)
    if code == "linear":
        return bytes(pynumpress.encode_linear(values, pynumpress.optimal_linear_fixed_point(values)))
    if code == "slof":
        return bytes(pynumpress.encode_slof(values, pynumpress.optimal_slof_fixed_point(values)))
    return bytes(pynumpress.encode_pic(values))


def unpacked_by_pynumpress(data, code):
    return np.asarray(getattr(pynumpress, f"decode_{code}")(np.frombuffer(data, np.uint8)))


def numbers(code):
    if code == "linear":
        return st.lists(st.floats(1, 5000), min_size=2, max_size=60).map(sorted)
    return st.lists(st.floats(0, 1e6), min_size=1, max_size=60)


def array(make, values, kind, code, *, compress=False, accessions=None, data=None):
    """A binaryDataArray of packed numbers."""
    kinds = {"m/z": "MS:1000514", "intensity": "MS:1000515"}
    content = packed(values, code) if data is None else data
    text = base64.b64encode(zlib.compress(content) if compress else content).decode()
    names = [kinds[kind], "MS:1000523", *(accessions or ACCESSIONS[code, compress])]
    return f"<binaryDataArray>{''.join(map(make.parameter, names))}<binary>{text}</binary></binaryDataArray>\n"


@pytest.mark.parametrize(
    ("code", "data", "values"),
    [
        ("linear", "408f400000000000", []),
        ("linear", "408f400000000000a0860100", [100.0]),
        ("linear", "408f400000000000a0860100400d0300", [100.0, 200.0]),
        # the steps 0 (half a byte: nothing is left) and -1 (7 times 15 is left out), and half a byte that is left over
        ("linear", "408f400000000000a0860100400d03008ff0", [100.0, 200.0, 300.0, 399.999]),
        ("pic", "8716010effffff70", [0.0, 1.0, 16.0, 2147483646.0]),
        ("slof", "408f4000000000000000b502", [0.0, np.exp(0.693) - 1]),
    ],
)
def test_bytes_as_published(code, data, values):
    np.testing.assert_allclose(CODES[code].decode(bytes.fromhex(data + "0" * (len(data) % 2))), values, rtol=1e-15)


@given(st.data())
@pytest.mark.parametrize("code", CODES)
def test_the_same_as_pynumpress(code, data):
    content = packed(data.draw(numbers(code)), code)
    ours = CODES[code].decode(content)
    np.testing.assert_allclose(ours, unpacked_by_pynumpress(content, code), rtol=1e-12)
    assert len(content) <= CODES[code].most_bytes(len(ours))


@settings(max_examples=500)
@given(st.binary(max_size=40) | st.builds(lambda a, b: bytes.fromhex("408f400000000000") + a + b, *[st.binary()] * 2))
@pytest.mark.parametrize("code", CODES)
def test_any_bytes_are_numbers_or_unusable(code, content):
    try:
        values = CODES[code].decode(content)
    except Unusable:
        return
    assert values.dtype == np.float64
    assert values.ndim == 1
    assert len(content) <= CODES[code].most_bytes(len(values)) + 1


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("code", ["pic", "slof", "linear"])
def test_in_mzml(read_one, make, code, compress):
    mz = array(make, MZ, "m/z", "linear", compress=compress)
    intensity = array(make, INTENSITY, "intensity", code, compress=compress)
    spectrum = read_one(make.file(make.spectrum(MZ, arrays=mz + intensity)))
    np.testing.assert_allclose(spectrum.mz, MZ, rtol=1e-8)
    np.testing.assert_allclose(spectrum.intensity, INTENSITY, rtol=2e-4)
    plain = make.array(unpacked_by_pynumpress(packed(MZ, "linear"), "linear"), "m/z")
    plain += make.array(unpacked_by_pynumpress(packed(INTENSITY, code), code), "intensity")
    other = read_one(make.file(make.spectrum(MZ, arrays=plain)))
    np.testing.assert_array_equal(spectrum.mz, other.mz)
    np.testing.assert_array_equal(spectrum.intensity, other.intensity)


def test_zlib_named_beside_it(read_one, make):
    both = ["MS:1002312", "MS:1000574"]
    mz = array(make, MZ, "m/z", "linear", compress=True, accessions=both)
    spectrum = read_one(make.file(make.spectrum(MZ, arrays=mz + make.array(INTENSITY, "intensity"))))
    np.testing.assert_allclose(spectrum.mz, MZ, rtol=1e-8)


GOOD = packed(MZ, "linear")


@pytest.mark.parametrize(
    ("data", "length", "reason"),
    [
        (b"", 4, reasons.ARRAY_NOT_DECODED),
        (GOOD[:5], 4, reasons.ARRAY_NOT_DECODED),
        (GOOD[:14], 4, reasons.ARRAY_NOT_DECODED),
        (GOOD[:-2], 4, reasons.ARRAY_NOT_DECODED),
        (GOOD[:16], 4, reasons.PEAK_COUNT_DIFFERS),
        (GOOD, 5, reasons.PEAK_COUNT_DIFFERS),
        (GOOD + b"\x88" * 40, 4, reasons.PEAK_COUNT_DIFFERS),
        (bytes(8) + GOOD[8:], 4, reasons.ARRAY_NOT_DECODED),
        (np.array(np.nan, ">f8").tobytes() + GOOD[8:], 4, reasons.ARRAY_NOT_DECODED),
        (np.array(1e-320, ">f8").tobytes() + GOOD[8:], 4, reasons.PEAK_NOT_A_NUMBER),
    ],
)
@pytest.mark.parametrize("compress", [False, True])
def test_damage_is_one_rejection(read, make, data, length, reason, compress):
    mz = array(make, MZ, "m/z", "linear", compress=compress, data=data)
    arrays = mz + make.array(INTENSITY, "intensity")
    content = make.file(make.spectrum(MZ, arrays=arrays, length=length), make.spectrum())
    rejection, spectrum = read(content)
    assert isinstance(rejection, Rejection)
    if length == 4:
        assert rejection.reason == reason
    assert spectrum.n_peaks == 2


@pytest.mark.slow
def test_a_bomb_takes_no_memory(read, make):
    bomb = zlib.compress(bytes.fromhex("408f400000000000") + b"\x88" * (1 << 28))
    text = base64.b64encode(bomb).decode()
    names = ["MS:1000514", "MS:1000523", "MS:1002746"]
    mz = f"<binaryDataArray>{''.join(map(make.parameter, names))}<binary>{text}</binary></binaryDataArray>"
    (rejection,) = read(make.file(make.spectrum(MZ, arrays=mz + make.array(INTENSITY, "intensity"))))
    assert rejection.reason == reasons.PEAK_COUNT_DIFFERS
