"""A model in a process of its own: it is loaded there while this process opens what else a query needs.

torch takes half of the time from the start of a command to its first hit. Spectra are encoded as fast there as here,
and sent in a fiftieth of the time that their hits take; but the process takes 70 MB, for which many gain nothing.
"""

from __future__ import annotations

import dataclasses
import functools
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from specbridge_tools.encoders.spectral.features import SpectrumFeatures, spectrum_features
from specbridge_tools.worker_pool import WorkerPool

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

    from specbridge_tools.bridge.model import AlignedModel
    from specbridge_tools.spectra.spectrum import Spectrum


@dataclasses.dataclass(frozen=True)
class ModelFacts:
    """What a search asks of a model besides vectors; as the attributes of `AlignedModel` and of its encoder."""

    name: str
    weights_sha256: str
    molecule_encoder: str
    molecule_encoder_sha256: str
    molecule_head_sha256: str
    dimension: int
    calibration: Mapping[str, float] | None
    n_peaks: int
    fixed_width: bool


@dataclasses.dataclass(frozen=True)
class _Encoding:
    """Spectra to be encoded, as the encoder reads them, and how many at once."""

    features: SpectrumFeatures
    batch_size: int


class ModelProcess:
    """A model that encodes spectra, in a process that starts at once and ends with the `with` block.

    What is wrong with the model is raised where something is first asked of it.
    """

    def __init__(self, path: str | os.PathLike[str] | None, *, device: str = "cpu", threads: int | None = None) -> None:
        """Make one of the model file at `path`, None for the model that ships; `threads` as for `use_threads`."""
        self._pool = WorkerPool(1, _Answering(path, device, threads))

    def __enter__(self) -> Self:
        self._pool.start(None)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    @functools.cached_property
    def _facts(self) -> ModelFacts:
        facts = self._ask(None)
        assert isinstance(facts, ModelFacts)
        return facts

    @property
    def name(self) -> str:
        return self._facts.name

    @property
    def weights_sha256(self) -> str:
        return self._facts.weights_sha256

    @property
    def molecule_encoder(self) -> str:
        return self._facts.molecule_encoder

    @property
    def molecule_encoder_sha256(self) -> str:
        return self._facts.molecule_encoder_sha256

    @property
    def molecule_head_sha256(self) -> str:
        return self._facts.molecule_head_sha256

    @property
    def dimension(self) -> int:
        return self._facts.dimension

    @property
    def calibration(self) -> Mapping[str, float] | None:
        return self._facts.calibration

    def encode(self, spectra: Sequence[Spectrum], *, batch_size: int = 32) -> NDArray[np.float32]:
        """Encode n spectra as (n, dimension), unit norm, with the bytes that the model gives in any process."""
        facts = self._facts
        features = spectrum_features(spectra, n_peaks=facts.n_peaks, fixed_width=facts.fixed_width)
        vectors = self._ask(_Encoding(features, batch_size))
        assert not isinstance(vectors, ModelFacts)
        return vectors

    def _ask(self, request: _Encoding | None) -> ModelFacts | NDArray[np.float32]:
        ((_, answer),) = self._pool.map_in_order([(None, request)], ahead=1)
        return answer


def torch_is_here() -> bool:
    """Whether this process has imported torch already, so that another one would gain nothing."""
    return "torch" in sys.modules


class _Answering:
    """What the process does; it loads the model when it is first asked for something."""

    def __init__(self, path: str | os.PathLike[str] | None, device: str, threads: int | None) -> None:
        self._path, self._device, self._threads = path, device, threads
        self._model: AlignedModel | None = None

    def __call__(self, request: _Encoding | None) -> ModelFacts | NDArray[np.float32]:
        gc.disable()  # a tenth of the time in which torch is imported; there is nothing to collect later
        from specbridge_tools.bridge.checkpoint import load_model
        from specbridge_tools.threads import use_threads

        use_threads(self._threads)
        model = self._model = self._model or load_model(self._path, device=self._device)
        if request is not None:
            return model.encode_features(request.features, batch_size=request.batch_size)
        return ModelFacts(
            model.name, model.weights_sha256, model.molecule_encoder, model.molecule_encoder_sha256,
            model.molecule_head_sha256, model.dimension, model.calibration,
            model.encoder.n_peaks, model.encoder.fixed_width,
        )  # fmt: skip
