"""Which space a vector lives in; vectors of different spaces must never be compared."""

import dataclasses

from specbridge_tools.errors import FormatError, MismatchError


@dataclasses.dataclass(frozen=True)
class Space:
    """The molecular encoder, the hash of its weights, that of a model's molecule head ('' for none), the dimension."""

    encoder: str
    weights_sha256: str
    molecule_head_sha256: str
    dimension: int

    @classmethod
    def of_model(cls, model):
        """Where a model puts spectra."""
        return cls(model.molecule_encoder, model.molecule_encoder_sha256, model.molecule_head_sha256, model.dimension)

    @classmethod
    def of_embeddings(cls, file):
        """Of open molecule or spectrum embeddings; those of molecules are as their encoder gives them."""
        head = getattr(file, "molecule_head_sha256", "")
        return cls(file.encoder, file.weights_sha256, head, file.dimension)

    @classmethod
    def of_attributes(cls, attributes, name):
        """From the attributes of an HDF5 file; raises `FormatError` where one is missing."""
        values = []
        for field in dataclasses.fields(cls):
            if field.name not in attributes:
                raise FormatError(f"attribute {field.name} is missing", where=name, advice="the file is broken")
            values.append(int(attributes[field.name]) if field.type is int else str(attributes[field.name]))
        return cls(*values)

    def __str__(self):
        head = f"head {self.molecule_head_sha256[:8]}" if self.molecule_head_sha256 else "no head"
        return f"{self.encoder} [weights {self.weights_sha256[:8]}, {head}, {self.dimension} dimensions]"


def require_same(first, first_name, second, second_name, *, advice):
    """Raise `MismatchError`, naming both, unless the two spaces are one."""
    if first != second:
        message = f"{first_name} belongs to {first}, but {second_name} to {second}"
        raise MismatchError(message, advice=advice)
