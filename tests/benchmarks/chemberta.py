"""ChemBERTa encoding against a plain loop: 64 SMILES at once in the order of the file, padded to the longest.

    python tests/benchmarks/chemberta.py [FILE] [--at-most 512] [--dimension 384] [--layers 3] [--threads 2]

FILE is a TSV with a column `smiles`, by default the example's. The weights are random: speed does not depend on them.
Prints molecules per second of both, their ratio (of CPU time, which a busy machine does not change), and the largest
difference between a vector of one and that of the other.
"""

import argparse
import csv
import itertools
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast, RobertaConfig, RobertaModel

from specbridge_tools.encoders.chemberta import ChembertaEncoder

EXAMPLE = Path(__file__).parents[2] / "examples" / "molecules.tsv"
LETTERS = "CNOFSPclnos()[]=#123456789+-@HBrIe/\\.0%aiA"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
BATCH = 64


def make_folder(folder, dimension, layers):
    """A random model with a token for each letter, in Hugging Face layout."""
    vocabulary = {word: i for i, word in enumerate((*SPECIAL, *dict.fromkeys(LETTERS)))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    ends = [("<s>", 0), ("</s>", 2)]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), SPECIAL, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **names).save_pretrained(folder)
    config = RobertaConfig(
        vocab_size=600,
        hidden_size=dimension,
        num_hidden_layers=layers,
        num_attention_heads=12,
        intermediate_size=4 * dimension,
        max_position_embeddings=515,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    torch.manual_seed(0)
    RobertaModel(config, add_pooling_layer=False).save_pretrained(folder)


def plain_loop(folder, smiles):
    """(n, dimension) float32 of the first token, and the CPU seconds that it took."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    rows, started = [], time.process_time()
    with torch.no_grad():
        for start in range(0, len(smiles), BATCH):
            batch = tokenizer(smiles[start : start + BATCH], padding="longest", return_tensors="pt")
            rows.append(model(**batch).last_hidden_state[:, 0].numpy())
    return np.concatenate(rows), time.process_time() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default=EXAMPLE)
    parser.add_argument("--at-most", type=int, default=512)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with open(options.file, encoding="utf-8", newline="") as file:
        rows = itertools.islice(csv.DictReader(file, delimiter="\t"), options.at_most)
        smiles = [row["smiles"] for row in rows]
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        make_folder(folder, options.dimension, options.layers)
        expected, plain = plain_loop(folder, smiles)
        encoder = ChembertaEncoder(folder)
        started = time.process_time()
        vectors = encoder.encode(smiles)
        ours = time.process_time() - started
    print(f"molecules\t{len(smiles)}\nthreads\t{options.threads}")
    print(f"plain_cpu_milliseconds_per_molecule\t{1000 * plain / len(smiles):.2f}")
    print(f"ours_cpu_milliseconds_per_molecule\t{1000 * ours / len(smiles):.2f}")
    print(f"ratio\t{plain / ours:.2f}\nlargest_difference\t{np.abs(vectors - expected).max():.1e}")


if __name__ == "__main__":
    main()
