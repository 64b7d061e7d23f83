"""The records of a file of molecules, as a split takes them."""


class MoleculeRecords:
    """Molecules in file order."""

    noun = "molecules"
    suffix = "tsv"

    def __init__(self, path, *, name):
        raise NotImplementedError
