"""The ranker: the network's weights and how its score is fused with the cosine; as tensors and plain values."""

import dataclasses
import functools
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.fragmentation.batch import candidate_arrays, join
from specbridge_tools.fragmentation.fragmenter import fragment
from specbridge_tools.fragmentation.network import encode, evaluate

FORMAT = "specbridge-ranker"
FORMAT_VERSION = 1
PREFIX = "ranker."
HEADER_KEY = "specbridge"
PRETRAINED = Path(__file__).parent.parent / "pretrained"
SETTINGS = ("capacity", "limit", "cosine_weight", "fragment_weight")
_KEPT_CANDIDATES = 2048


@dataclasses.dataclass(frozen=True, eq=False)
class Ranker:
    """Scores candidates by what their fragments explain.

    weights  name -> float32 array, as `network.evaluate` takes them
    config   format, format_version, capacity and limit of the fragmenter, cosine_weight and fragment_weight of the
             fused score, and whatever the training has to say
    """

    weights: Mapping[str, np.ndarray]
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

    def evidence(self, candidates, peaks):
        """`network.Evidence` of at least one `CandidateArrays` for a spectrum's `Peaks`, and their `CandidateBatch`."""
        batch = join(candidates)
        return evaluate(self.weights, batch, encode(self.weights, batch), peaks), batch

    def fuse(self, cosine, fragment_score):
        """The score that ranks: a weighted sum."""
        return self.config["cosine_weight"] * cosine + self.config["fragment_weight"] * fragment_score

    def to_tensors(self, prefix=PREFIX):
        """Weights under `prefix`, to be stored in a safetensors file; `config` goes into its header."""
        return {prefix + name: np.ascontiguousarray(value, np.float32) for name, value in self.weights.items()}


def from_tensors(tensors, config, prefix=PREFIX):
    """`Ranker` out of the tensors of a file (others are ignored) and the configuration of its header.

    Raises `FormatError` where it is no ranker or of another version.
    """
    if config.get("format") != FORMAT or config.get("format_version") != FORMAT_VERSION:
        found = f"{config.get('format')} version {config.get('format_version')}"
        raise FormatError(f"found {found}, expected {FORMAT} version {FORMAT_VERSION}")
    weights = {
        name.removeprefix(prefix): np.asarray(value, np.float32)
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
    if not weights:
        raise FormatError(f"no tensors named {prefix}*")
    return Ranker(weights, dict(config))


def save_ranker(ranker, path):
    """Write a ranker as a safetensors file of its own; its configuration is the JSON header."""
    from safetensors.numpy import save_file

    save_file(ranker.to_tensors(), path, metadata={HEADER_KEY: json.dumps(dict(ranker.config), sort_keys=True)})


def load_ranker(path=None):
    """Read the ranker in a safetensors file; None is the one that ships.

    The file is the ranker's own, or a model whose header has the ranker's configuration under `ranker`.
    """
    from safetensors import SafetensorError, safe_open

    path = _shipped() if path is None else Path(path)
    try:
        with safe_open(path, framework="numpy") as file:
            config = json.loads((file.metadata() or {}).get(HEADER_KEY, "{}"))
            if config.get("format") != FORMAT and "ranker" in config:
                config = config["ranker"] or {}
            names = [name for name in file.keys() if name.startswith(PREFIX)]  # noqa: SIM118, not a dict
            return from_tensors({name: file.get_tensor(name) for name in names}, config)
    except FormatError as error:
        raise FormatError(error.message, where=path, advice="name a file that holds a ranker") from error
    except (OSError, SafetensorError, json.JSONDecodeError) as error:
        raise FormatError(f"cannot be read as a ranker ({error})", where=path) from error


def _shipped():
    alone = PRETRAINED / "ranker.safetensors"
    return alone if alone.is_file() else PRETRAINED / "model.safetensors"
