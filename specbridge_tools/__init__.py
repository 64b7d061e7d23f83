"""Names the molecule behind an MS/MS spectrum: a spectral encoder, a bridge and a bank of molecule embeddings."""

__version__ = "0.1.0"
