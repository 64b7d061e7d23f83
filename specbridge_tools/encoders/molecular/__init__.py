"""Frozen encoders of molecules: SMILES -> vectors."""
