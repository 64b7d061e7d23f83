"""SMILES language models of the RoBERTa kind, from a folder in Hugging Face layout (ChemBERTa and its like)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from specbridge_tools.device import pick_device
from specbridge_tools.encoders.molecular.chemberta.model_folder import read_network
from specbridge_tools.encoders.molecular.chemberta.packed_bert import PackedBert
from specbridge_tools.encoders.molecular.chemberta.packing import encode_packed
from specbridge_tools.encoders.molecular.chemberta.tokenizer import check_tokenizer, read_tokenizer
from specbridge_tools.encoders.one_thread import each_on_one_thread, even_rows
from specbridge_tools.encoders.registry import parse_options
from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.provenance import sha256_file
from specbridge_tools.threads import use_threads
from specbridge_tools.weights.catalogue import KNOWN
from specbridge_tools.weights.store import weight_file

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

POOLINGS = ("cls", "mean")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


class ChembertaEncoder:
    """The last hidden state of a transformer over a SMILES, pooled, in float32.

    No SMILES is ever padded: BERT and RoBERTa get packs (`PackedBert`), other networks, and GPUs, batches of one length
    in tokens. So a vector does not depend on its neighbours, on one kind of processor not even in its last bit.

    Attributes:
        weights_sha256: Of the weight file, or of the hashes of all where there are several.
        truncated: SMILES with more tokens than the model takes; the tokens at their ends were cut.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        pooling: str = "cls",
        device: str = "cpu",
        allow_download: bool = False,
        batch_size: int = 64,
    ) -> None:
        """Read tokenizer and weights.

        Args:
            source: A folder, a name of `sb-models` whose weights are on this machine, or a name on the Hugging Face hub
                where `allow_download` is set.
            pooling: `cls`: the first token's state; `mean`: over all tokens, the special ones included.
            device: As `pick_device` takes it.
            allow_download: Whether a folder that is not here may be fetched.
            batch_size: At most so many SMILES at once.

        Raises:
            DataError: Where there is no folder, or none with a model and its tokenizer.
            MismatchError: Where the weights are not those of the configuration.
        """
        if pooling not in POOLINGS:
            raise UsageError(f"no pooling {pooling!r}", advice=f"one of {', '.join(POOLINGS)}")
        folder = _folder(source, allow_download)
        model = read_network(folder)
        self._tokenizer = read_tokenizer(folder)
        check_tokenizer(self._tokenizer, folder)
        self._device = pick_device(device)
        self._pooling = pooling
        self._batch_size = batch_size
        self._max_tokens = _max_tokens(self._tokenizer, model.config)
        self.dimension: int = model.config.hidden_size
        self._packed: PackedBert | None = None
        self._model: PreTrainedModel | None = None
        if self._device.type == "cpu" and PackedBert.reads(model):
            self._packed = PackedBert(model)
        else:
            self._model = model
            nn.Module.to(model, self._device)
        self.name = f"chemberta:{Path(source).name},pooling={pooling}"
        self.weights_sha256 = _weights_digest(folder)
        self.truncated: list[str] = []

    @classmethod
    def from_argument(
        cls,
        argument: str,
        *,
        device: str = "cpu",
        allow_download: bool = False,
        batch_size: int = 64,
        threads: int | None = None,
    ) -> ChembertaEncoder:
        """`PATH` or a name of `sb-models`, then perhaps `,pooling=cls|mean`; `threads` as for `use_threads`."""
        source, _, rest = argument.partition(",")
        if not source:
            raise UsageError("encoder chemberta needs a folder", advice="chemberta:PATH or chemberta:PATH,pooling=mean")
        options = parse_options(rest, {"pooling": "cls"})
        use_threads(threads)
        return cls(source, device=device, allow_download=allow_download, batch_size=batch_size, **options)

    def encode(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        """Canonical SMILES -> (n, dimension)."""
        if not len(smiles):
            return np.empty((0, self.dimension), np.float32)
        sequences = [self._cut(*pair) for pair in zip(smiles, self._tokens(smiles), strict=True)]
        if self._packed is None:
            return self._encode_by_length(sequences)
        return encode_packed(self._packed, sequences, pooling=self._pooling, at_once=self._batch_size)

    def _encode_by_length(self, sequences: list[list[int]]) -> NDArray[np.float32]:
        out = np.empty((len(sequences), self.dimension), np.float32)
        lengths = np.array([len(row) for row in sequences])
        of_one_length = [np.flatnonzero(lengths == length) for length in np.unique(lengths)]
        size = even_rows(1) if self._device.type == "cpu" else self._batch_size
        batches = [rows[i : i + size] for rows in of_one_length for i in range(0, len(rows), size)]
        tokens_of = [[sequences[row] for row in batch] for batch in batches]
        encoded = each_on_one_thread(self._forward, tokens_of, device=self._device)
        for batch, vectors in zip(batches, encoded, strict=True):
            out[batch] = vectors
        return out

    def _tokens(self, smiles: Sequence[str]) -> list[list[int]]:
        # verbose=False: we count the long ones ourselves
        return self._tokenizer(list(smiles), truncation=False, verbose=False)["input_ids"]

    def _cut(self, smiles: str, tokens: list[int]) -> list[int]:
        if len(tokens) <= self._max_tokens:
            return tokens
        self.truncated.append(smiles)
        return [*tokens[: self._max_tokens - 1], tokens[-1]]

    def _forward(self, tokens: list[list[int]]) -> NDArray[np.float32]:
        """Sequences of one length -> (b, dimension)."""
        with torch.inference_mode():
            padded = [*tokens, *tokens[:1] * (even_rows(len(tokens)) - len(tokens))]
            ids = torch.tensor(padded, device=self._device)  # (b, t)
            assert self._model is not None  # else the packed network reads
            hidden = self._model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state  # (b, t, d)
            pooled = hidden[:, 0] if self._pooling == "cls" else hidden.mean(dim=1)
            return pooled.float().cpu().numpy()[: len(tokens)]


def _folder(source: str | Path, allow_download: bool) -> Path:
    folder = Path(source)
    if folder.is_dir():
        return folder
    if any(entry.name == source for entry in KNOWN if entry.role == "molecular encoder"):
        return weight_file(source).parent
    if not allow_download:
        raise DataError(
            "no such folder", where=source, advice="give a local folder, or --allow-download for a name on the hub"
        )
    from specbridge_tools.weights.fetch import fetch_hub_folder

    return fetch_hub_folder(str(source), weights=_WEIGHTS)


def _max_tokens(tokenizer: PreTrainedTokenizerBase, config: PretrainedConfig) -> int:
    # RoBERTa counts positions from behind the padding token's
    offset = config.pad_token_id + 1 if "roberta" in config.model_type else 0
    return min(tokenizer.model_max_length, config.max_position_embeddings - offset)


def _weights_digest(folder: Path) -> str:
    for pattern in _WEIGHTS:
        digests = [sha256_file(path) for path in sorted(folder.glob(pattern))]
        if digests:
            return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    raise DataError("holds no weight file", where=folder, advice=f"expected one of {', '.join(_WEIGHTS)}")
