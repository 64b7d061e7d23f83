"""Published DreaMS weights: tensors of a checkpoint or safetensors file, and the configuration that follows.

Names are those of the published state dict. A fine-tuned model (`embedding_model.ckpt`) has them under `backbone.` and
adds `head.{weight,bias}`; heads of the self-supervised training (`NOT_READ`) are left out. `fourier_enc.b` is used as
stored. All other tensors must be those of the architecture, by name and shape.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from specbridge_tools.encoders.spectral.dreams.network import (
    GIVEN_FREQUENCIES,
    OFFICIAL_FREQUENCIES,
    DreamsConfig,
    DreamsNetwork,
)
from specbridge_tools.errors import FormatError, MismatchError
from specbridge_tools.provenance import CREATED_BY, sha256_file
from specbridge_tools.streams import output_path
from specbridge_tools.weights.empty_network import WithoutInitialValues
from specbridge_tools.weights.store import stored_spectral_encoders, weight_file
from specbridge_tools.weights.tensor_file import Header, check_shapes, read_tensor_file, write_tensor_file
from specbridge_tools.weights.torch_checkpoint import is_checkpoint, open_checkpoint, state_dict

FORMAT = "specbridge-dreams"
SELF_SUPERVISED_PEAKS = 60
EMBEDDING_PEAKS = 100
_OFFICIAL_N_FREQUENCIES = 5997
_BACKBONE = "backbone."
_FREQUENCIES = "fourier_enc.b"
_ALIASES = {"fourier_enc.Fourier frequencies": _FREQUENCIES}
NOT_READ = ("ff_out.", "ff_out_intens.", "ro_out.")
"""What the names of tensors begin with that are no part of the encoder: heads of masked peaks and retention order."""
_ADVICE = "use weights of the published architecture"


@dataclasses.dataclass(frozen=True)
class DreamsWeights:
    """What a file holds of a DreaMS model.

    Attributes:
        tensors: Published name, without prefix -> float32 tensor.
        path: Of the file that they came from.
    """

    tensors: dict[str, torch.Tensor]
    path: str | Path

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """{published name: shape}."""
        return {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}

    def digest(self) -> str:
        """SHA-256 of names and values: the same for a checkpoint and for what it is converted to."""
        digest = hashlib.sha256()
        for name in sorted(self.tensors):
            digest.update(f"{name} {tuple(self.tensors[name].shape)} ".encode())
            digest.update(self.tensors[name].numpy().data)
        return digest.hexdigest()

    @property
    def has_head(self) -> bool:
        return "head.weight" in self.tensors

    def config(self, **changes: Any) -> DreamsConfig:
        """The configuration of these sizes; `changes` for what tensors do not show (n_heads, n_peaks, dropout)."""
        tensors = self.tensors
        depth = sum(name.startswith("ff_fourier.ff.") and name.endswith(".weight") for name in tensors)
        layers = sum(name.startswith("transformer_encoder.atts.") for name in tensors)
        n_frequencies = tensors[_FREQUENCIES].numel()
        official = n_frequencies == _OFFICIAL_N_FREQUENCIES
        shown: dict[str, Any] = {
            "n_layers": layers,
            "d_peak": tensors["ff_peak.ff.0.weight"].shape[0],
            "d_fourier": tensors[f"ff_fourier.ff.{3 * (depth - 1)}.weight"].shape[0],
            "fourier_hidden": tensors["ff_fourier.ff.0.weight"].shape[0],
            "fourier_depth": depth,
            "frequencies": OFFICIAL_FREQUENCIES if official else GIVEN_FREQUENCIES,
            "n_peaks": EMBEDDING_PEAKS if self.has_head else SELF_SUPERVISED_PEAKS,
        }
        if not official:
            shown["n_frequencies"] = n_frequencies
        return DreamsConfig.official(**{**shown, **changes})


def read_dreams(path: str | Path) -> DreamsWeights:
    """Read a `.ckpt` or safetensors file, told apart by the first bytes.

    Raises:
        FormatError: Where it is neither, or not of the DreaMS architecture.
        MismatchError: Where tensors are missing, left over or of another shape.
    """
    tensors = _from_checkpoint(path) if is_checkpoint(path) else _from_safetensors(path)
    weights = DreamsWeights(tensors, path)
    try:
        config = weights.config()
    except (KeyError, IndexError) as error:
        raise FormatError(f"holds no DreaMS model: tensor {error} is missing", where=path) from error
    check_shapes(weights.shapes(), _expected_shapes(config, has_head=weights.has_head), path, advice=_ADVICE)
    return weights


def _expected_shapes(config: DreamsConfig, *, has_head: bool) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"), WithoutInitialValues():
        network = DreamsNetwork(config)
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    head = {"head.weight": (config.width, config.width), "head.bias": (config.width,)}
    return expected | (head if has_head else {})


def find_base(source: str, sha256: str) -> DreamsWeights:
    """The weights with this digest, at `source` or in a store under any name of a spectral encoder.

    Raises:
        MismatchError: Where they are in none of these places.
    """
    places = [path for path in (weight_file(source, missing_ok=True), *stored_spectral_encoders()) if path is not None]
    for path in dict.fromkeys(places):
        weights = read_dreams(path)
        if weights.digest() == sha256:
            return weights
    elsewhere = "other weights are there" if places else "which are not there"
    raise MismatchError(
        f"the model is a change of weights {sha256[:12]}, {elsewhere}",
        where=source,
        advice="put the file back, or `sb-models add` it",
    )


def convert_dreams(source: str | Path, destination: str | Path, *, force: bool = False) -> DreamsWeights:
    """Write the weights of a checkpoint as safetensors; the header says what they came from."""
    weights = read_dreams(source)
    header: Header = {
        "format": FORMAT,
        "format_version": 1,
        "created_by": CREATED_BY,
        "source_sha256": sha256_file(source),
        "has_head": weights.has_head,
        "config": dataclasses.asdict(weights.config()),
    }
    with output_path(destination, force=force) as temporary:
        write_tensor_file(weights.tensors, header, temporary)
    return weights


def published_names(names: Iterable[str]) -> dict[str, str]:
    """Name in a file -> published name, for all but `NOT_READ`."""
    names = list(names)
    prefix = _BACKBONE if any(name.startswith(_BACKBONE) for name in names) else ""
    found: dict[str, str] = {}
    for name in names:
        short = name.removeprefix(prefix)
        short = _ALIASES.get(short, short)
        if not short.startswith(NOT_READ) and short not in found.values():
            found[name] = short
    return found


def _from_checkpoint(path: str | Path) -> dict[str, torch.Tensor]:
    with open_checkpoint(path) as checkpoint:
        stored = state_dict(checkpoint.content)
        if stored is None:
            raise FormatError("is a torch checkpoint without a state_dict", where=path)
        names = published_names(stored)
        return {short: _float32(checkpoint.tensor(stored[name])) for name, short in names.items()}


def _from_safetensors(path: str | Path) -> dict[str, torch.Tensor]:
    try:
        _, tensors = read_tensor_file(path, framework="pt")
    except FormatError as error:
        error.advice = "expected a torch checkpoint or a safetensors file"
        raise
    return {short: _float32(tensors[name]) for name, short in published_names(tensors).items()}


def _float32(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to(torch.float32, copy=True, memory_format=torch.contiguous_format)
