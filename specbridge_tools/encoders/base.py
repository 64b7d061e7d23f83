"""What an encoder is, and what some encoders can do besides, as protocols."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from specbridge_tools.encoders.spectral.features import SpectrumFeatures


class MoleculeEncoder(Protocol):
    """Frozen: the same SMILES gives the same vector, whatever else is in the batch.

    Attributes:
        name: As the registry and every file that we write spell it, with the options that change the vectors.
        dimension: Length of a vector.
        weights_sha256: Hash of the weights, or of the options where there are none.
        truncated: SMILES that were too long and were cut, in the order seen.
    """

    name: str
    dimension: int
    weights_sha256: str
    truncated: list[str]

    @classmethod
    def from_argument(cls, argument: str) -> MoleculeEncoder:
        """The encoder that the registry makes of `NAME:ARGUMENT`; '' for the defaults."""
        ...

    def encode(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        """Canonical SMILES -> (n, dimension); not normalised."""
        ...


@runtime_checkable
class FingerprintEncoder(MoleculeEncoder, Protocol):
    """A molecular encoder that reads Morgan counts, and takes those that were counted while molecules were read.

    Attributes:
        fingerprint: Radius and number of bits of the counts.
    """

    fingerprint: tuple[int, int]

    def encode_counts(self, rows: Sequence[Mapping[int, int]]) -> NDArray[np.float32]:
        """{bit: count} of n molecules -> (n, dimension): the vectors that `encode` gives for their SMILES."""
        ...


class SpectrumEncoder(Protocol):
    """A torch module over `SpectrumFeatures`; `bridge.model` puts the projector on top.

    Attributes:
        dimension: Length of a vector.
        n_peaks: How many of the highest peaks it reads.
        fixed_width: Peaks are always padded to `n_peaks`, not to the longest spectrum of the batch.
        training: As of any torch module.
    """

    dimension: int
    n_peaks: int
    fixed_width: bool
    training: bool

    @classmethod
    def from_argument(cls, argument: str) -> SpectrumEncoder:
        """The encoder that the registry makes of `NAME:ARGUMENT`; '' for the defaults."""
        ...

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> SpectrumEncoder:
        """The encoder that `describe` described, with new random weights."""
        ...

    def describe(self) -> dict[str, Any]:
        """`name` in the registry and plain values, from which `from_description` rebuilds the encoder."""
        ...

    def __call__(self, features: SpectrumFeatures) -> torch.Tensor:
        """Features of b spectra -> (b, dimension) float32."""
        ...

    def freeze_below(self, n_blocks: int) -> None:
        """Leave only the last `n_blocks` blocks to be trained; a negative number trains everything."""
        ...

    def parameters(self) -> Iterator[torch.nn.Parameter]: ...

    def state_dict(self) -> dict[str, Any]: ...

    def train(self, mode: bool = True) -> object: ...

    def eval(self) -> object: ...


@runtime_checkable
class FixedEncoder(SpectrumEncoder, Protocol):
    """A spectral encoder whose vectors mean something without a bridge: its weights are published, or it needs none."""

    @property
    def name(self) -> str:
        """As files spell it, with the options that change the vectors."""
        ...

    @property
    def weights_sha256(self) -> str:
        """Hash of the weights, or of the options where there are none; '' where the weights are new, random ones."""
        ...


@runtime_checkable
class VocabularyEncoder(SpectrumEncoder, Protocol):
    """A spectral encoder that reads by a vocabulary, chosen from the spectra that it will be trained on."""

    def learn_vocabulary(self, features: SpectrumFeatures) -> None:
        """Choose the vocabulary; its vectors become random again."""
        ...

    def row_tables(self) -> dict[str, int]:
        """Names of the tensors that hold numbers of rows of a table, and how many rows that has."""
        ...


@runtime_checkable
class BlockEncoder(SpectrumEncoder, Protocol):
    """A spectral encoder in blocks, of which the first ones can be computed once and kept while they are frozen."""

    @property
    def n_blocks(self) -> int: ...

    def n_tokens(self, features: SpectrumFeatures) -> NDArray[np.int64]:
        """(n,): how many tokens `encode_first_blocks` returns for each spectrum."""
        ...

    def encode_first_blocks(self, features: SpectrumFeatures, n_blocks: int) -> list[torch.Tensor]:
        """The output of the first `n_blocks` blocks, (tokens, width + 1) for each spectrum."""
        ...

    def encode_last_blocks(self, rows: Sequence[torch.Tensor], n_blocks: int) -> torch.Tensor:
        """What `encode_first_blocks` returned for b spectra, through the other blocks -> (b, dimension)."""
        ...


@runtime_checkable
class RecomputingEncoder(SpectrumEncoder, Protocol):
    """A spectral encoder that can save memory in training by computing activations twice."""

    def recompute_activations(self) -> None: ...


@runtime_checkable
class LowRankEncoder(SpectrumEncoder, Protocol):
    """A spectral encoder that can be trained by low-rank changes beside published weights, which stay as they are."""

    def add_low_rank(self, rank: int) -> None:
        """Freeze the weights and put trained changes of this rank beside them."""
        ...

    def base_tensors(self) -> set[str]:
        """Names of the tensors that are not stored with a model, since the published weights hold them."""
        ...

    def load_base(self) -> None:
        """Read the published weights again; `MismatchError` where they are not on this machine."""
        ...
