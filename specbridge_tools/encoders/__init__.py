"""Spectrum or molecule -> vector."""
