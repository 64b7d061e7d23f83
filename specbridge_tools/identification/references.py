"""Reference spectra as evidence for hits: which references count, and what they add to the candidates of a query."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from specbridge_tools import pretrained
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.errors import MismatchError, UsageError
from specbridge_tools.hits.hits import Column, Hits
from specbridge_tools.hits.table import read_hits
from specbridge_tools.ranking.evidence import LINEAR, REFERENCE
from specbridge_tools.reference.accessions import Accessions
from specbridge_tools.reference.evidence import CandidateEvidence
from specbridge_tools.reference.file import open_reference_file
from specbridge_tools.reference.measured import MeasuredIons
from specbridge_tools.reference.reference import LEAVE_OUT, Reference
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.weights.tensor_file import read_header

if TYPE_CHECKING:
    from specbridge_tools.bridge.model import AlignedModel
    from specbridge_tools.fragmentation.network.ranker import Ranker

NO_REFERENCE = "none"
"""In place of a path: not even the reference that ships."""
_DEFAULT_WEIGHTS = {kind: weight for kind, weight in LINEAR.items() if kind in REFERENCE}
_FORMER_NAMES = {"other_polarity_losses": "other_polarity_fragments"}
logger = logging.getLogger(__name__)
Path = str | os.PathLike[str]


@dataclasses.dataclass(frozen=True, eq=False)
class Evidence:
    """Of the n candidates of one query.

    Attributes:
        contribution: (n,) what is added to the score.
        calibration: Of the scores with it, None where that of the scores without it has to serve.
        columns: {column of `hits.REFERENCE`, or kind of evidence: (n,)}.
    """

    contribution: NDArray[np.float64]
    calibration: Mapping[str, float] | None
    columns: Mapping[str, Column]


@dataclasses.dataclass(frozen=True, eq=False)
class ReferenceFusion:
    """How evidence of reference spectra joins cosine and fragment score.

    Attributes:
        weights: By kind of `REFERENCE`: what a value of 1 adds to the score.
        calibration: Of the scores with it, None where it was not calibrated.
    """

    weights: Mapping[str, float]
    calibration: Mapping[str, float] | None = None


@dataclasses.dataclass(frozen=True)
class References:
    """Which reference spectra a search uses.

    Attributes:
        paths: Files beside the one that ships, or `NO_REFERENCE` alone.
        leave_out: As `Reference.match` takes it.
    """

    paths: Sequence[Path] = ()
    leave_out: str | None = None

    @property
    def are_given(self) -> bool:
        """Whether there are files beside the one that ships."""
        return bool(self.paths) and NO_REFERENCE not in self.paths


DEFAULT_REFERENCES = References()


class Referee:
    """Says what reference spectra speak for the candidates of a query.

    Attributes:
        reference: The spectra.
        leave_out: As `Reference.match` takes it.
    """

    def __init__(self, reference: Reference, *, leave_out: str | None = None) -> None:
        if leave_out is not None and leave_out not in LEAVE_OUT:
            raise UsageError(f"nothing is left out by {leave_out!r}", advice=f"one of {', '.join(LEAVE_OUT)}")
        self.reference, self.leave_out = reference, leave_out

    def evidence(self, hits: Hits, ranker: Ranker) -> Evidence:
        """The evidence for hits that hold their spectra; the ranker's configuration has the weights."""
        matches = self.reference.match(hits.spectra, leave_out=self.leave_out)
        features = self.reference.features(hits.column("smiles"))
        found = matches.evidence(hits.column("inchikey14"), features)
        fusion = reference_fusion(ranker.config, len(hits.spectra))
        contribution = (found.values * [fusion.weights.get(kind, 0.0) for kind in REFERENCE]).sum(axis=1)
        return Evidence(contribution, fusion.calibration, self._columns(found))

    def prepare(self) -> None:
        """Load what compares, while this process waits for the first query."""
        self.reference.match([Spectrum("", 47.05, np.array([29.04]), np.ones(1, np.float32), adduct="[M+H]+")])
        self.reference.features(["CCO"])

    def _columns(self, found: CandidateEvidence) -> dict[str, Column]:
        texts = self.reference.texts
        spectra = found.spectrum.tolist()
        return {
            **{name: found.column(name) for name in REFERENCE},
            "reference_similarity": found.similarity,
            "reference_id": [texts.accession[row] if row >= 0 else "" for row in spectra],
            "reference_kind": found.kind,
            "reference_licence": [texts.text("licence", row) if row >= 0 else "" for row in spectra],
            "analog_score": found.analog_score,
            "analog_id": [texts.accession[row] if row >= 0 else "" for row in found.analog.tolist()],
        }


def reference_fusion(config: Mapping[str, Any], n_spectra: int) -> ReferenceFusion:
    """What a ranker's configuration says under `reference`, of a query of so many spectra; default weights if nothing.

    Those for several spectra stand under `reference` in its `group`.
    """
    values = config.get("group") or {} if n_spectra > 1 else config
    found = values.get("reference") or {"weights": _DEFAULT_WEIGHTS}
    weights = {_FORMER_NAMES.get(kind, kind): weight for kind, weight in found["weights"].items()}
    return ReferenceFusion(weights, found.get("calibration"))


def open_referee(references: References, *, encoder_sha256: str | None, encoder: str | None = None) -> Referee | None:
    """Open the references that a search uses together; None where there is none.

    Args:
        references: Which; those that are given come before the one that ships, which is left out where it belongs to
            another encoder.
        encoder_sha256: Hash of the molecular encoder of the model; None where it is not known.
        encoder: What makes that encoder, as sb-embed-mols takes it, where its name does not say where its files are.

    Raises:
        MismatchError: Where a reference that was given belongs to another encoder.
    """
    files = list(references.paths)
    if NO_REFERENCE in files:
        if len(files) > 1:
            raise UsageError("reference none goes with no other", advice="give files, or none")
        return None
    for path in files:
        if encoder_sha256 is not None and not _belongs(path, encoder_sha256):
            message = "belongs to another molecular encoder than the model"
            advice = "build it again, with sb-build-reference --encoder"
            raise MismatchError(message, where=path, advice=advice)
    if pretrained.REFERENCE.is_file() and encoder_sha256 and _belongs(pretrained.REFERENCE, encoder_sha256):
        files.append(pretrained.REFERENCE)
    if not files:
        return None
    made = MOLECULE_ENCODERS.create(encoder) if encoder else None
    reference = Reference.open(*files, encoder=made)
    if not len(reference):
        logger.warning("%s: no reference spectra in it", ", ".join(map(str, files)))
    return Referee(reference, leave_out=references.leave_out)


def accessions_of(hits: BinaryIO, paths: Sequence[Path]) -> Accessions | None:
    """The reference spectra that a table of hits can name, those that ship too; None where it names none.

    Args:
        hits: The table, of which the first query is read.
        paths: As in `References`.
    """
    hits.seek(0)
    first = next(iter(read_hits(hits)), None)
    files = _files(References(paths))
    return None if first is None or "reference_id" not in first.columns or not files else Accessions(files)


def measured_ions(references: References) -> MeasuredIons | None:
    """As which ions the references have molecules, those that ship too, whatever the encoder; None without any."""
    files = _files(references)
    return MeasuredIons(files, leave_out=references.leave_out) if files else None


def encoder_of_model(model: Path | AlignedModel | None) -> str | None:
    """Hash of the molecular encoder that a model, or the file of one, points to, None for a file that does not say."""
    if model is not None and not isinstance(model, (str, os.PathLike)):
        return model.molecule_encoder_sha256
    config = read_header(pretrained.MODEL if model is None else model).get("config")
    found = config.get("molecule_encoder_sha256") if isinstance(config, dict) else None
    return found if isinstance(found, str) else None


def _files(references: References) -> list[Path]:
    """All files, the one that ships too, whatever the encoder."""
    if NO_REFERENCE in references.paths:
        return []
    return [*references.paths, *([pretrained.REFERENCE] if pretrained.REFERENCE.is_file() else [])]


def _belongs(path: Path, encoder_sha256: str) -> bool:
    with open_reference_file(path) as file:
        return file.space.weights_sha256 == encoder_sha256
