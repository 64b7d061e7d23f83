"""Files of MS/MS spectra -> `Spectrum`."""
