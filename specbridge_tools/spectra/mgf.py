"""Mascot generic format (MGF)."""


def write_mgf(spectra, stream):
    """Write spectra to an open text file as MGF, metadata and all."""
    raise NotImplementedError
