"""Files of molecules -> `Molecule`."""


def read_molecules(source, *, input_format="auto", smiles_column=None, threads=None):
    """Yield `Molecule | Rejection` for each record of a TSV, CSV, .smi or SDF source, in its order."""
    raise NotImplementedError
