"""What reference spectra say of the candidates of one query."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.reference.molecules import MoleculeFeatures, tanimoto
from specbridge_tools.reference.spectra import Best, Similarities

if TYPE_CHECKING:
    from specbridge_tools.reference.reference import Reference

KINDS = ("same_ion", "same_polarity", "other_polarity")
MOST_ANALOGS = 50
SAME_MOLECULE = ("same_ion", "same_polarity_fragments", "same_polarity_losses", "other_polarity_fragments")
ANALOG = ("analog_max", "analog_mean1", "analog_mean2", "analog_mean4", "analog_cosine")
_POWERS = (1, 2, 4)
_KIND_OF = {
    "same_ion": "same_ion",
    "same_polarity_fragments": "same_polarity",
    "same_polarity_losses": "same_polarity",
    "other_polarity_fragments": "other_polarity",
}


@dataclasses.dataclass(frozen=True, eq=False)
class CandidateEvidence:
    """What reference spectra say of n candidates of one query; every number is 0 where there is nothing to say.

    Attributes:
        values: (n, 9) float64 in the order of `SAME_MOLECULE` and `ANALOG`.
        similarity: (n,) of the spectrum of the candidate that speaks most for it, NaN where it has none that is alike.
        kind: (n,) of `KINDS`, '' where it has none.
        spectrum: (n,) row of that spectrum, -1 where it has none.
        analog: (n,) row of the spectrum of the reference molecule that contributes most to it, -1 for none.
        analog_score: (n,) the greatest product of the similarity of a reference molecule's spectra to the query, and of
            its Tanimoto coefficient with the candidate: `analog_max`; NaN where no reference molecule is alike.

    What several spectra of a query say of analogs is averaged over them: the best of several is often high by chance.
    """

    values: NDArray[np.float64]
    similarity: NDArray[np.float64]
    kind: list[str]
    spectrum: NDArray[np.int32]
    analog: NDArray[np.int32]
    analog_score: NDArray[np.float64]

    def column(self, name: str) -> NDArray[np.float64]:
        """(n,) of a name in `SAME_MOLECULE` or `ANALOG`."""
        return self.values[:, (*SAME_MOLECULE, *ANALOG).index(name)]


@dataclasses.dataclass(frozen=True, eq=False)
class Analogs:
    """The reference molecules that are most alike one spectrum of a query.

    Attributes:
        molecules: (a,) their rows, at most `MOST_ANALOGS`, best first.
        similarity: (a,) the hybrid similarity of each, > 0.
        spectrum: (a,) int32 row of its spectrum that has it.
    """

    molecules: NDArray[np.int64]
    similarity: NDArray[np.float64]
    spectrum: NDArray[np.int32]

    @classmethod
    def most_alike(cls, hybrid: Best) -> Analogs:
        """The first by hybrid similarity."""
        order = np.argsort(-hybrid.similarity, kind="stable")[:MOST_ANALOGS]
        order = order[hybrid.similarity[order] > 0]
        return cls(order, hybrid.similarity[order], hybrid.spectrum[order])


class QueryMatches:
    """What the spectra of one query are like, see `Reference.match`.

    Attributes:
        similarities: Of the spectra of each reference molecule, the best by each kind.
        analogs: Of each spectrum of the query.
    """

    def __init__(self, reference: Reference, similarities: Similarities) -> None:
        self.similarities = similarities
        self.analogs = [Analogs.most_alike(hybrid) for hybrid in similarities.hybrid]
        self._reference = reference

    def evidence(self, inchikey14: Sequence[str], features: MoleculeFeatures) -> CandidateEvidence:
        """What speaks for each of n candidates.

        Args:
            inchikey14: (n,) their identities.
            features: Of the same n molecules, from `Reference.features`.
        """
        rows = np.array([self._reference.molecules.row_of.get(key, -1) for key in inchikey14], np.int64)
        values = np.zeros((len(rows), len(SAME_MOLECULE) + len(ANALOG)))
        similarity, kind, spectrum = self._same_molecule(rows, values)
        analog, analog_score = self._analogs(features, values[:, len(SAME_MOLECULE) :])
        return CandidateEvidence(values, similarity, kind, spectrum, analog, analog_score)

    def _same_molecule(
        self, rows: NDArray[np.int64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], list[str], NDArray[np.int32]]:
        """Fill the columns of `SAME_MOLECULE`; (similarity, kind, spectrum) of what is shown."""
        shown, kind = np.full(len(rows), np.nan), [""] * len(rows)
        spectrum = np.full(len(rows), -1, np.int32)
        known = np.flatnonzero(rows >= 0)
        for place, name in enumerate(SAME_MOLECULE):
            best = getattr(self.similarities, name)
            values[known, place] = best.similarity[rows[known]]
            for i in np.flatnonzero((values[:, place] > 0) & ~(shown >= values[:, place])).tolist():
                shown[i], kind[i] = values[i, place], _KIND_OF[name]
                spectrum[i] = best.spectrum[rows[i]]
        return shown, kind, spectrum

    def _analogs(
        self, features: MoleculeFeatures, values: NDArray[np.float64]
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Fill the columns of `ANALOG`; (`CandidateEvidence.analog`, `analog_score`) of each candidate."""
        spectrum, greatest = np.full(len(values), -1, np.int32), np.zeros(len(values))
        for analogs in self.analogs:
            if not len(analogs.molecules) or not len(values):
                continue
            of_one, parts = self._analog_values(features, analogs)
            values += of_one / len(self.analogs)
            higher = of_one[:, 0] > greatest
            greatest[higher] = of_one[higher, 0]
            spectrum[higher] = analogs.spectrum[parts.argmax(axis=1)][higher]
        return spectrum, np.where(spectrum >= 0, values[:, 0], np.nan)

    def _analog_values(
        self, features: MoleculeFeatures, analogs: Analogs
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The columns of `ANALOG` (n, 5) by one spectrum's analogs, and what each of them contributes (n, a)."""
        values = np.zeros((features.bits.shape[0], len(ANALOG)))
        bits, vectors = self._reference.analog_features(analogs.molecules)
        alike = tanimoto(features.bits, bits)
        parts = alike * analogs.similarity
        values[:, 0] = parts.max(axis=1)
        for place, power in enumerate(_POWERS, start=1):
            weights = analogs.similarity**power
            values[:, place] = (alike * weights).sum(axis=1) / weights.sum()
        mean = (vectors * (analogs.similarity**4)[:, None]).sum(axis=0)
        norm = np.sqrt(np.square(mean).sum())
        if norm > 0:
            values[:, 4] = (features.vectors * (mean / norm)).sum(axis=1)
        return values, parts
