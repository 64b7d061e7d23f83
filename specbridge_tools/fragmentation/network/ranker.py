"""The ranker: the network's weights, and as plain values how its score is fused with the cosine."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.fragmentation.fragments.fragmenter import fragment
from specbridge_tools.fragmentation.network.batch import candidate_arrays, join
from specbridge_tools.fragmentation.network.numpy_network import concatenated, encode, evaluate
from specbridge_tools.threads import one_blas_thread

SETTINGS = ("capacity", "limit", "cosine_weight", "fragment_weight")
_KEPT_CANDIDATES = 2048
_AT_ONCE = 20  # candidates, whose arrays then stay in the processor's cache


@dataclasses.dataclass(frozen=True)
class ScoreFusion:
    """How fragment scores become what is reported.

    cosine_weight, fragment_weight  the score that ranks is their weighted sum
    calibration  as `hits.probability` takes it, and `first`: how many candidates were scored when it was fitted; None
                 without
    """

    cosine_weight: float
    fragment_weight: float
    calibration: Mapping | None = None

    def fuse(self, cosine, fragment_score):
        """(n,) scores that rank, from cosines (n,) and fragment scores (n,), NaN where there is none.

        A candidate without a fragment score is given the lowest of the others: nothing speaks for it but its cosine.
        """
        known = fragment_score[~np.isnan(fragment_score)]
        lowest = known.min() if len(known) else 0.0
        filled = np.where(np.isnan(fragment_score), lowest, fragment_score)
        return self.cosine_weight * cosine + self.fragment_weight * filled


@dataclasses.dataclass(frozen=True, eq=False)
class Ranker:
    """Scores candidates by what their fragments explain.

    networks one or more of name -> float32 array, as `network.evaluate` takes them; their scores are averaged
    config   format, format_version, capacity and limit of the fragmenter, the fields of the `ScoreFusion` for a spectrum,
             under `group` where there is one those for several spectra of one compound, and whatever the training has
             to say
    """

    networks: Sequence[Mapping[str, np.ndarray]]
    config: Mapping

    def __post_init__(self):
        missing = [name for name in SETTINGS if name not in self.config]
        if missing:
            raise FormatError(f"ranker without {', '.join(missing)}")

    def candidate(self, smiles):
        """`CandidateArrays` of a SMILES of one connected part. Raises `DataError` where it cannot be read."""
        from specbridge_tools.molecules.chemistry import molecular_graph

        if "." in smiles:
            raise DataError(f"{smiles!r} is several molecules")
        graph = molecular_graph(smiles)
        return candidate_arrays(fragment(graph, capacity=self.config["capacity"], limit=self.config["limit"]))

    @functools.cached_property
    def remembered_candidate(self):
        """`candidate` with a memory for the last few thousand: spectra of one molecule have the same candidates."""
        return functools.lru_cache(maxsize=_KEPT_CANDIDATES)(self.candidate)

    def evidence(self, candidates, spectra):
        """`network.Evidence` of at least one `CandidateArrays`, for the `Peaks` of each spectrum."""
        batches = [join(candidates[start : start + _AT_ONCE]) for start in range(0, len(candidates), _AT_ONCE)]
        found = []
        # a product that two threads share has other last bits
        with one_blas_thread():
            for batch in batches:
                encoded = [encode(weights, batch) for weights in self.networks]
                found.append([evaluate(self.networks, batch, encoded, peaks) for peaks in spectra])
        n_fragments = np.array([batch.n_fragments.sum() for batch in batches])
        return [concatenated(parts, n_fragments) for parts in zip(*found, strict=True)]

    def fusion(self, n_spectra):
        """The `ScoreFusion` for a query of so many spectra."""
        values = self.config["group"] if n_spectra > 1 and self.config.get("group") else self.config
        return ScoreFusion(values["cosine_weight"], values["fragment_weight"], values.get("calibration"))
