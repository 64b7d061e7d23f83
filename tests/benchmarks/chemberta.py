"""ChemBERTa encoding against a plain loop: 64 SMILES at once in the order of the file, padded to the longest.

    python tests/benchmarks/chemberta.py [FILE] [--family 77m|13m] [--at-most 256] [--rounds 3] [--threads 2]

FILE is a TSV with a column `smiles`, by default the example's. The loop runs the ordinary network of transformers. The
families in use are ChemBERTa-77M-MLM and -MTR (3 layers, 384 wide), and ChemBERTa_augmented_pubchem_13m and
ChemBERTa-zinc-base-v1 (6 layers, 768 wide); a token is a letter, the weights are random: speed does not depend on
them. Both take turns. Prints TSV: milliseconds a molecule of both (least of all rounds), how many times quicker ours is
by the clock (median of the rounds) and in CPU time, which a busy machine changes less, and the largest difference.
"""

import argparse
import csv
import itertools
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast, RobertaConfig, RobertaModel
from transformers.utils import logging

from specbridge_tools.encoders.molecular.chemberta.encoder import ChembertaEncoder

EXAMPLE = Path(__file__).parents[2] / "examples" / "molecules.tsv"
LETTERS = "CNOFSPclnos()[]=#123456789+-@HBrIe/\\.0%aiA"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
BATCH = 64
FAMILIES = {
    "77m": {"hidden_size": 384, "num_hidden_layers": 3, "intermediate_size": 464, "max_position_embeddings": 515},
    "13m": {"hidden_size": 768, "num_hidden_layers": 6, "intermediate_size": 3072, "max_position_embeddings": 515},
}


def make_folder(folder, family):
    """A random model with a token for each letter, in Hugging Face layout."""
    vocabulary = {word: i for i, word in enumerate((*SPECIAL, *dict.fromkeys(LETTERS)))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    ends = [("<s>", 0), ("</s>", 2)]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), SPECIAL, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **names).save_pretrained(folder)
    numbers = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    config = RobertaConfig(vocab_size=600, num_attention_heads=12, **FAMILIES[family], **numbers)
    torch.manual_seed(0)
    RobertaModel(config).save_pretrained(folder)


def plain_loop(tokenizer, model, smiles):
    """(n, dimension) float32 of the first token."""
    rows = []
    with torch.no_grad():
        for start in range(0, len(smiles), BATCH):
            batch = tokenizer(smiles[start : start + BATCH], padding="longest", return_tensors="pt")
            rows.append(model(**batch).last_hidden_state[:, 0].numpy())
    return np.concatenate(rows)


def timed(function, *arguments):
    """The result, and the seconds by the clock and of the CPU."""
    clock, cpu = time.perf_counter(), time.process_time()
    result = function(*arguments)
    return result, time.perf_counter() - clock, time.process_time() - cpu


def compare(folder, smiles, rounds):
    """(clock, CPU) seconds of the loop and of ours, (rounds, 2) each, and the largest difference."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    encoder = ChembertaEncoder(folder)
    plain_loop(tokenizer, model, smiles[:BATCH])
    encoder.encode(smiles[:BATCH])
    plain, ours = [], []
    for _ in range(rounds):
        expected, *seconds = timed(plain_loop, tokenizer, model, smiles)
        plain.append(seconds)
        vectors, *seconds = timed(encoder.encode, smiles)
        ours.append(seconds)
    return np.array(plain), np.array(ours), np.abs(vectors - expected).max()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default=EXAMPLE)
    parser.add_argument("--family", choices=FAMILIES, action="append", help="all by default")
    parser.add_argument("--at-most", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with open(options.file, encoding="utf-8", newline="") as file:
        rows = itertools.islice(csv.DictReader(file, delimiter="\t"), options.at_most)
        smiles = [row["smiles"] for row in rows]
    torch.set_num_threads(options.threads)
    print("family\tmolecules\tthreads\tplain_ms\tours_ms\tratio\tcpu_ratio\tlargest_difference")
    for family in options.family or FAMILIES:
        with tempfile.TemporaryDirectory() as folder:
            make_folder(folder, family)
            plain, ours, difference = compare(folder, smiles, options.rounds)
        clocks = [1000 * seconds[:, 0].min() / len(smiles) for seconds in (plain, ours)]
        ratio, cpu_ratio = (statistics.median(plain[:, i] / ours[:, i]) for i in (0, 1))
        figures = "\t".join(f"{value:.2f}" for value in (*clocks, ratio, cpu_ratio))
        print(f"{family}\t{len(smiles)}\t{options.threads}\t{figures}\t{difference:.1e}", flush=True)


if __name__ == "__main__":
    main()
