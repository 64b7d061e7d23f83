"""Encoders of spectra: torch modules over the peaks, trained by the bridge."""
