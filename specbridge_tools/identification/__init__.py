"""The whole job: spectra -> ranked candidates."""
