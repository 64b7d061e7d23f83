"""Which space a vector lives in; vectors of different spaces must never be compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from specbridge_tools.errors import MismatchError
from specbridge_tools.hdf5_file import Hdf5File

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from specbridge_tools.spectra.spectrum import Spectrum


class SpectrumModel(Protocol):
    """Places spectra in the space of a molecular encoder, as `bridge.model.AlignedModel` does."""

    @property
    def name(self) -> str: ...

    @property
    def weights_sha256(self) -> str:
        """Hash of the model file."""
        ...

    @property
    def molecule_encoder(self) -> str:
        """Name of the molecular encoder."""
        ...

    @property
    def molecule_encoder_sha256(self) -> str:
        """Hash of the weights of the molecular encoder."""
        ...

    @property
    def molecule_head_sha256(self) -> str:
        """Hash of the model's molecule head, '' if it has none."""
        ...

    @property
    def dimension(self) -> int: ...

    def encode(self, spectra: Sequence[Spectrum], *, batch_size: int = ...) -> NDArray[np.float32]:
        """Encode n spectra as (n, dimension), unit norm."""
        ...


class CalibratedModel(SpectrumModel, Protocol):
    """A model that says what its scores mean."""

    @property
    def calibration(self) -> Mapping[str, float] | None:
        """Values that turn scores into probabilities, or None."""
        ...


class HasSpace(Protocol):
    """An open file of vectors."""

    @property
    def encoder(self) -> str: ...

    @property
    def weights_sha256(self) -> str: ...

    @property
    def molecule_head_sha256(self) -> str: ...

    @property
    def dimension(self) -> int: ...


@dataclasses.dataclass(frozen=True)
class Space:
    """Where vectors live.

    Attributes:
        encoder: Name of the molecular encoder.
        weights_sha256: Hash of its weights.
        molecule_head_sha256: Hash of the molecule head of a model, '' for none.
        dimension: Length of a vector.
    """

    encoder: str
    weights_sha256: str
    molecule_head_sha256: str
    dimension: int

    @classmethod
    def of_model(cls, model: SpectrumModel) -> Space:
        """Where a model places spectra."""
        return cls(model.molecule_encoder, model.molecule_encoder_sha256, model.molecule_head_sha256, model.dimension)

    @classmethod
    def of_embeddings(cls, file: HasSpace) -> Space:
        """Where the vectors of open molecule or spectrum embeddings live."""
        return cls(file.encoder, file.weights_sha256, file.molecule_head_sha256, file.dimension)

    @classmethod
    def of_hdf5(cls, file: Hdf5File) -> Space:
        """Read a space from the attributes of an open HDF5 file.

        Raises:
            FormatError: If an attribute is missing, or none that a space has.
        """
        return cls(
            file.attribute("encoder", str),
            file.attribute("weights_sha256", str),
            file.attribute("molecule_head_sha256", str),
            file.attribute("dimension", int),
        )

    def __str__(self) -> str:
        head = f"head {self.molecule_head_sha256[:8]}" if self.molecule_head_sha256 else "no head"
        return f"{self.encoder} [weights {self.weights_sha256[:8]}, {head}, {self.dimension} dimensions]"


def require_same(first: Space, first_name: str, second: Space, second_name: str, *, advice: str) -> None:
    """Raise `MismatchError`, naming both, unless the two spaces are one."""
    if first != second:
        message = f"{first_name} belongs to {first}, but {second_name} to {second}"
        raise MismatchError(message, advice=advice)
