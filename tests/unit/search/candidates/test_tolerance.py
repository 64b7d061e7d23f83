import pytest

from specbridge_tools.errors import UsageError
from specbridge_tools.search.candidates.tolerance import Tolerance


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("10ppm", 10, "ppm"),
        ("0.005Da", 0.005, "Da"),
        (" 5 PPM ", 5, "ppm"),
        ("1e-3da", 0.001, "Da"),
        ("0ppm", 0, "ppm"),
    ],
)
def test_spellings(text, value, unit):
    assert Tolerance.parse(text) == Tolerance(value, unit)


@pytest.mark.parametrize("text", ["", "10", "ppm", "-1ppm", "1.2.3Da", "10 mDa", "nanppm", "1e999Da", "infDa"])
def test_what_is_no_tolerance_is_refused(text):
    with pytest.raises(UsageError, match=r"10ppm or 0\.005Da"):
        Tolerance.parse(text)


def test_both_ends_belong_to_the_window():
    low, high = Tolerance(0.0005, "Da").window(100.0)
    assert low <= 99.9995 < 100.0005 <= high
    assert low > 99.999499
    assert high < 100.000501
    low, high = Tolerance(10.0, "ppm").window(250.0)
    assert low <= 249.9975 < 250.0025 <= high
