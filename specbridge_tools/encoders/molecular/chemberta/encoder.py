"""SMILES language models of the RoBERTa kind, from a folder in Hugging Face layout (ChemBERTa and its like)."""

import hashlib
from pathlib import Path
from pickle import UnpicklingError

import numpy as np

from specbridge_tools.device import pick_device
from specbridge_tools.encoders.molecular.chemberta.tokenizer import check_tokenizer, read_tokenizer
from specbridge_tools.encoders.registry import parse_options
from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.provenance import sha256_file
from specbridge_tools.threads import use_threads
from specbridge_tools.weights.catalogue import KNOWN
from specbridge_tools.weights.store import weight_file

POOLINGS = ("cls", "mean")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


class ChembertaEncoder:
    """The last hidden state of a transformer over a SMILES, pooled, in float32.

    source          a folder, a name of `sb-models` whose weights are on this machine, or a name on the Hugging Face hub
                    where `allow_download` is set
    pooling         `cls`: the first token's; `mean`: over all tokens, the special ones included
    batch_size      at most so many SMILES at once. None is ever padded: BERT and RoBERTa get packs (`PackedBert`),
                    other networks, and GPUs, batches of one length in tokens. So a vector does not depend on its
                    neighbours, on one kind of processor not even in its last bit
    weights_sha256  of the weight file, or of the hashes of all where there are several
    truncated       SMILES with more tokens than the model takes; the tokens at their ends were cut
    """

    def __init__(self, source, *, pooling="cls", device="cpu", allow_download=False, batch_size=64):
        if pooling not in POOLINGS:
            raise UsageError(f"no pooling {pooling!r}", advice=f"one of {', '.join(POOLINGS)}")
        folder = _folder(source, allow_download)
        self._tokenizer, self._model = _load(folder)
        check_tokenizer(self._tokenizer, folder)
        self._device = pick_device(device)
        self._model.eval().float().to(self._device)
        self._pooling = pooling
        self._batch_size = batch_size
        self._max_tokens = _max_tokens(self._tokenizer, self._model.config)
        self.dimension = self._model.config.hidden_size
        self._packed = _packed(self._model) if self._device.type == "cpu" else None
        if self._packed is not None:
            self._model = None  # taken over
        self.name = f"chemberta:{Path(source).name},pooling={pooling}"
        self.weights_sha256 = _weights_digest(folder)
        self.truncated = []

    @classmethod
    def from_argument(cls, argument, *, device="cpu", allow_download=False, batch_size=64, threads=None):
        """`PATH` or a name of `sb-models`, then perhaps `,pooling=cls|mean`; `threads` as for `use_threads`."""
        source, _, rest = argument.partition(",")
        if not source:
            raise UsageError("encoder chemberta needs a folder", advice="chemberta:PATH or chemberta:PATH,pooling=mean")
        options = parse_options(rest, {"pooling": "cls"})
        use_threads(threads)
        return cls(source, device=device, allow_download=allow_download, batch_size=batch_size, **options)

    def encode(self, smiles):
        """Canonical SMILES -> (n, dimension) float32."""
        if not len(smiles):
            return np.empty((0, self.dimension), np.float32)
        sequences = [self._cut(*pair) for pair in zip(smiles, self._tokens(smiles), strict=True)]
        if self._packed is None:
            return self._encode_by_length(sequences)
        from specbridge_tools.encoders.molecular.chemberta.packing import encode_packed

        return encode_packed(self._packed, sequences, pooling=self._pooling, at_once=self._batch_size)

    def _encode_by_length(self, sequences):
        from specbridge_tools.encoders.one_thread import each_on_one_thread, even_rows

        out = np.empty((len(sequences), self.dimension), np.float32)
        lengths = np.array([len(row) for row in sequences])
        of_one_length = [np.flatnonzero(lengths == length) for length in np.unique(lengths)]
        size = even_rows(1) if self._device.type == "cpu" else self._batch_size
        batches = [rows[i : i + size] for rows in of_one_length for i in range(0, len(rows), size)]
        tokens_of = [[sequences[row] for row in batch] for batch in batches]
        for batch, vectors in zip(
            batches, each_on_one_thread(self._forward, tokens_of, device=self._device), strict=True
        ):
            out[batch] = vectors
        return out

    def _tokens(self, smiles):
        # verbose=False: we count the long ones ourselves
        return self._tokenizer(list(smiles), truncation=False, verbose=False)["input_ids"]

    def _cut(self, smiles, tokens):
        if len(tokens) <= self._max_tokens:
            return tokens
        self.truncated.append(smiles)
        return [*tokens[: self._max_tokens - 1], tokens[-1]]

    def _forward(self, tokens):
        import torch

        from specbridge_tools.encoders.one_thread import even_rows

        with torch.inference_mode():
            padded = [*tokens, *tokens[:1] * (even_rows(len(tokens)) - len(tokens))]
            ids = torch.tensor(padded, device=self._device)  # (b, t)
            hidden = self._model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state  # (b, t, d)
            pooled = hidden[:, 0] if self._pooling == "cls" else hidden.mean(dim=1)
            return pooled.float().cpu().numpy()[: len(tokens)]


def _folder(source, allow_download):
    folder = Path(source)
    if folder.is_dir():
        return folder
    if any(entry.name == source for entry in KNOWN if entry.role == "molecular encoder"):
        return weight_file(source).parent
    if not allow_download:
        raise DataError(
            "no such folder", where=source, advice="give a local folder, or --allow-download for a name on the hub"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(source, allow_patterns=["*.json", "*.txt", "*.model", *_WEIGHTS]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"cannot be downloaded ({reason})", where=source) from error


def _load(folder):
    from safetensors import SafetensorError
    from transformers import AutoModel
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    # that a masked language model has no pooler is no news
    logging.set_verbosity_error()
    try:
        tokenizer = read_tokenizer(folder)
        model = AutoModel.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError, UnpicklingError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"holds no model and tokenizer in Hugging Face layout ({reason})", where=folder) from error
    finally:
        logging.set_verbosity(verbosity)
    return tokenizer, model


def _packed(model):
    from specbridge_tools.encoders.molecular.chemberta.packed_bert import PackedBert

    return PackedBert(model) if PackedBert.reads(model) else None


def _max_tokens(tokenizer, config):
    # RoBERTa counts positions from behind the padding token's
    offset = config.pad_token_id + 1 if "roberta" in config.model_type else 0
    return min(tokenizer.model_max_length, config.max_position_embeddings - offset)


def _weights_digest(folder):
    for pattern in _WEIGHTS:
        digests = [sha256_file(path) for path in sorted(folder.glob(pattern))]
        if digests:
            return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    raise DataError("holds no weight file", where=folder, advice=f"expected one of {', '.join(_WEIGHTS)}")
