"""Vectors on disk: HDF5 files of molecule and spectrum embeddings."""
