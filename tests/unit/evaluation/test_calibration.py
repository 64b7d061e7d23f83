import numpy as np
import pytest

from specbridge_tools.evaluation import calibration


def test_reliability_by_hand():
    table = calibration.reliability_table([0.05, 0.15, 0.15, 0.95, 1.0], [0, 0, 1, 1, 1])
    assert [(row.low, row.n, row.correct) for row in table] == [(0.0, 1, 0.0), (0.1, 2, 0.5), (0.9, 2, 1.0)]
    assert table[-1].probability == pytest.approx(0.975)
    error = calibration.expected_calibration_error([0.05, 0.15, 0.15, 0.95, 1.0], [0, 0, 1, 1, 1])
    assert error == pytest.approx((0.05 + 2 * 0.35 + 2 * 0.025) / 5)
    assert np.isnan(calibration.expected_calibration_error([], []))


def test_precision_and_coverage_by_hand():
    probability, right = [0.2, 0.5, 0.9, 0.95], [0, 0, 1, 0]
    assert calibration.precision_and_coverage(probability, right, 0.5) == (pytest.approx(1 / 3), 0.75)
    precision, coverage = calibration.precision_and_coverage(probability, right, 0.99)
    assert np.isnan(precision)
    assert coverage == 0
