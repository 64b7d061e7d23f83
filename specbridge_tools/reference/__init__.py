"""Measured spectra of known molecules, as evidence: the same molecule's, and related ones'."""
