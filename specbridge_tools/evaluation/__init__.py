"""How well spectra were identified: splits, metrics, baselines, calibration."""
