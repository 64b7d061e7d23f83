"""The ranker: the network's weights, and as plain values how its score is fused with the cosine."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.fragmentation.network.recent import RecentValues
from specbridge_tools.fragmentation.network.weight_shapes import Weights

if TYPE_CHECKING:
    from specbridge_tools.fragmentation.fragments.batch import CandidateArrays
    from specbridge_tools.fragmentation.fragments.fragmenter import Fragments
    from specbridge_tools.fragmentation.network.numpy_network import EncodedCandidate, SpectrumEvidence
    from specbridge_tools.fragmentation.peaks.prepare import Peaks

REQUIRED_CONFIG = ("capacity", "limit", "cosine_weight", "fragment_weight")
_REMEMBERED_BYTES = 64 << 20  # in each process: a thousand candidates
_CANDIDATES_PER_BATCH = 20  # whose arrays then stay in the processor's cache


@dataclasses.dataclass(frozen=True)
class ScoreFusion:
    """How fragment scores become what is reported: the score that ranks is the weighted sum of both.

    Attributes:
        cosine_weight: Of the cosine.
        fragment_weight: Of the fragment score.
        calibration: As `hits.probability` takes it, and `first`: how many candidates were scored when it was fitted.
            None where the fused score is not calibrated.
    """

    cosine_weight: float
    fragment_weight: float
    calibration: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.cosine_weight) and math.isfinite(self.fragment_weight)):
            raise FormatError(f"weights of the fusion are {self.cosine_weight} and {self.fragment_weight}")
        if self.calibration is not None and "first" not in self.calibration:
            raise FormatError("calibration without first", advice="train or calibrate the model anew")

    def fuse(self, cosine: NDArray[np.float64], fragment_score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the scores (n,) that rank.

        A candidate without a fragment score is given the lowest of the others: nothing speaks for it but its cosine.

        Args:
            cosine: (n,).
            fragment_score: (n,), NaN where there is none.
        """
        known = fragment_score[~np.isnan(fragment_score)]
        lowest = known.min() if len(known) else 0.0
        filled = np.where(np.isnan(fragment_score), lowest, fragment_score)
        return self.cosine_weight * cosine + self.fragment_weight * filled


class KnownCandidate(NamedTuple):
    """A candidate, cut and encoded by each network."""

    arrays: CandidateArrays
    encoded: tuple[EncodedCandidate, ...]

    @property
    def n_bytes(self) -> int:
        """Of its arrays."""
        own: int = sum(array.nbytes for array in vars(self.arrays).values())
        return own + sum(vectors.pieces.nbytes + vectors.molecule.nbytes for vectors in self.encoded)


@dataclasses.dataclass(frozen=True, eq=False)
class Ranker:
    """Scores candidates by what their fragments explain.

    Compiled loops are imported where they are called, so that a process in which nothing is scored does without.

    Attributes:
        networks: One or more; their scores are averaged.
        config: format, format_version, `capacity` and `limit` of the fragmenter, the fields of the `ScoreFusion` for
            one spectrum, under `group` where there is one those for several spectra of one compound, and whatever the
            training reports. Plain JSON, which is kept as it is.
    """

    networks: Sequence[Weights]
    config: Mapping[str, Any]

    def __post_init__(self) -> None:
        missing = [name for name in REQUIRED_CONFIG if name not in self.config]
        if missing:
            raise FormatError(f"ranker without {', '.join(missing)}")
        # matrices are read transposed, and are then contiguous
        networks = [
            {name: np.array(value, order="F" if name.endswith(".weight") else "C") for name, value in each.items()}
            for each in self.networks
        ]
        object.__setattr__(self, "networks", networks)

    def __reduce__(self) -> tuple[type[Ranker], tuple[Sequence[Weights], Mapping[str, Any]]]:
        # for worker processes: without the cached candidates
        return Ranker, (self.networks, self.config)

    def fragments(self, smiles: str) -> Fragments:
        """Cut a molecule. Raises `DataError` where the SMILES cannot be read or has several parts."""
        from specbridge_tools.fragmentation.fragments.fragmenter import fragment
        from specbridge_tools.molecules.smiles_graph import molecular_graph

        if "." in smiles:
            raise DataError(f"{smiles!r} is several molecules")
        return fragment(molecular_graph(smiles), capacity=self.config["capacity"], limit=self.config["limit"])

    def candidate(self, smiles: str) -> CandidateArrays:
        """The arrays of a molecule; raises as `fragments` does."""
        from specbridge_tools.fragmentation.fragments.batch import candidate_arrays

        return candidate_arrays(self.fragments(smiles))

    @functools.cached_property
    def known(self) -> RecentValues[KnownCandidate]:
        """Candidates by SMILES: spectra of one molecule have the same ones. Raises as `fragments` does."""
        return RecentValues(
            lambda smiles: self.encode(self.candidate(smiles)), lambda known: known.n_bytes, most=_REMEMBERED_BYTES
        )

    def encode(self, candidate: CandidateArrays) -> KnownCandidate:
        """Compute what does not depend on the spectrum; inside `one_blas_thread`."""
        from specbridge_tools.fragmentation.network.numpy_network import encode_candidate

        return KnownCandidate(candidate, tuple(encode_candidate(weights, candidate) for weights in self.networks))

    def evidence(self, candidates: Sequence[KnownCandidate], spectra: Sequence[Peaks]) -> list[SpectrumEvidence]:
        """Find the evidence of each spectrum for at least one candidate; inside `one_blas_thread`."""
        from specbridge_tools.fragmentation.fragments.batch import CandidateBatch
        from specbridge_tools.fragmentation.network.numpy_network import concatenate_evidence, weigh_spectrum
        from specbridge_tools.fragmentation.peaks.subformula import explained_peaks

        formulas = np.stack([known.arrays.formula for known in candidates])
        explained = [explained_peaks(formulas, peaks) for peaks in spectra]
        parts, n_fragments = [], []
        for start in range(0, len(candidates), _CANDIDATES_PER_BATCH):
            rows = slice(start, start + _CANDIDATES_PER_BATCH)
            batch = CandidateBatch([known.arrays for known in candidates[rows]])
            encoded = list(zip(*(known.encoded for known in candidates[rows]), strict=True))
            parts.append(
                [
                    weigh_spectrum(self.networks, batch, encoded, peaks, by_formula[rows])
                    for peaks, by_formula in zip(spectra, explained, strict=True)
                ]
            )
            n_fragments.append(batch.n_fragments.sum())
        return [concatenate_evidence(evidence, np.array(n_fragments)) for evidence in zip(*parts, strict=True)]

    def fusion(self, n_spectra: int) -> ScoreFusion:
        """The fusion for a query of so many spectra."""
        values = self.config["group"] if n_spectra > 1 and self.config.get("group") else self.config
        return ScoreFusion(values["cosine_weight"], values["fragment_weight"], values.get("calibration"))
