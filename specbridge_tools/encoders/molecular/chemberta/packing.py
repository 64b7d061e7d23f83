"""Sequences of tokens through a `PackedBert`, in packs of about the same number of tokens, one pack per core."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from specbridge_tools.encoders.molecular.chemberta.packed_bert import PackedBert
from specbridge_tools.encoders.one_thread import each_on_one_thread

# so many tokens fill the kernels, and what a core computes with stays in its caches
_TOKENS = 480
_CPU = torch.device("cpu")


def encode_packed(
    network: PackedBert, sequences: Sequence[Sequence[int]], *, pooling: str, at_once: int
) -> NDArray[np.float32]:
    """Lists of token numbers -> (n, width); at most `at_once` sequences are in a pack.

    A vector is the same to the last bit whatever else is encoded, on one kind of processor.
    """
    out = np.empty((len(sequences), network.width), np.float32)
    order = sorted(range(len(sequences)), key=lambda i: len(sequences[i]))
    lengths = np.array([len(sequences[i]) for i in order])
    tokens = np.concatenate([sequences[i] for i in order])
    places = np.concatenate([network.places(sequences[i]) for i in order])
    pairs, row_of = np.unique(tokens * network.n_places + places, return_inverse=True)
    chunks = [pairs[i : i + _TOKENS] for i in range(0, len(pairs), _TOKENS)]

    def embed(chunk: NDArray[np.int64]) -> torch.Tensor:
        token, place = map(torch.from_numpy, np.divmod(chunk, network.n_places))
        return network.embed_tokens(token, place)

    embedded = torch.cat(each_on_one_thread(embed, chunks, device=_CPU))  # (pairs, 4 width)
    ends = np.cumsum(lengths)

    def encode(pack: slice) -> NDArray[np.float32]:
        rows = torch.from_numpy(row_of[ends[pack.start] - lengths[pack.start] : ends[pack.stop - 1]])
        return network.encode(embedded[rows], lengths[pack].tolist(), pooling=pooling).numpy()

    packs = _packs(lengths, at_once)
    for pack, vectors in zip(packs, each_on_one_thread(encode, packs, device=_CPU), strict=True):
        out[order[pack]] = vectors
    return out


def _packs(lengths: NDArray[np.int64], at_once: int) -> list[slice]:
    """Slices of neighbours that have at most `_TOKENS` tokens together, or of a single longer sequence."""
    starts, n_tokens = [0], 0
    for i, length in enumerate(lengths):
        if i > starts[-1] and (n_tokens + length > _TOKENS or i - starts[-1] == at_once):
            starts.append(i)
            n_tokens = 0
        n_tokens += length
    return [slice(*pair) for pair in itertools.pairwise([*starts, len(lengths)])]
