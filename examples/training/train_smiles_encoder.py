"""Train a SMILES transformer of ChemBERTa's size to predict fingerprints, as ChemBERTa-MTR predicts descriptors.

train_smiles_encoder.py MOLECULES.h5 -o FOLDER [--exclude FILE] [--epochs 1] [--most N] [--bfloat16]

MOLECULES.h5 holds what is predicted: embeddings of a Morgan encoder, from a linear map of the mean over the tokens and
by mean squared error. --exclude names a file with one first block of an InChIKey a line. FOLDER is in Hugging Face
layout, for sb-embed-mols --encoder chemberta:FOLDER,pooling=mean. A token is an atom, a bond, a ring number or a
bracket. No spectra are needed. --bfloat16 is for processors that compute in it; others emulate it, which is slow.
"""

import argparse
import collections
import logging
import math
import re
import time
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from torch import nn
from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaModel

from specbridge_tools.embeddings.molecules import open_molecule_embeddings

TOKEN = r"\[[^\]]+\]|Br|Cl|%[0-9]{2}|."
SPECIAL = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "mask_token": "<mask>"}
LARGEST_VOCABULARY, LEAST_OF_A_TOKEN, LONGEST = 600, 20, 256
BATCH, BATCHES_SORTED = 128, 32  # sequences of like length go together
logger = logging.getLogger("train_smiles_encoder")


def make_tokenizer(smiles):
    """A tokenizer of the tokens that occur often enough."""
    counts = collections.Counter(token for text in smiles for token in re.findall(TOKEN, text))
    common = [token for token, count in counts.most_common(LARGEST_VOCABULARY) if count >= LEAST_OF_A_TOKEN]
    words = [*SPECIAL.values(), *common][:LARGEST_VOCABULARY]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(TOKEN), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", words.index("<s>")), ("</s>", words.index("</s>"))]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=LONGEST, **SPECIAL)


def make_model(tokenizer, seed):
    """The shape of ChemBERTa-77M."""
    torch.manual_seed(seed)
    return RobertaModel(
        RobertaConfig(
            vocab_size=LARGEST_VOCABULARY,
            hidden_size=384,
            num_hidden_layers=3,
            num_attention_heads=12,
            intermediate_size=464,
            max_position_embeddings=LONGEST + 3,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        ),
        add_pooling_layer=False,
    )


def batches(lengths, rng):
    """Rows of each batch: drawn at random, then sorted by length within a stretch of batches."""
    order = rng.permutation(len(lengths))
    size = BATCH * BATCHES_SORTED
    for start in range(0, len(order), size):
        stretch = order[start : start + size]
        stretch = stretch[np.argsort(lengths[stretch], kind="stable")]
        cut = [stretch[i : i + BATCH] for i in range(0, len(stretch), BATCH)]
        yield from (cut[i] for i in rng.permutation(len(cut)))


def padded(sequences, padding):
    """(b, t) int64."""
    ids = torch.full((len(sequences), max(map(len, sequences))), padding)
    for row, sequence in zip(ids, sequences, strict=True):
        row[: len(sequence)] = torch.tensor(sequence)
    return ids


def train(model, tokenizer, smiles, targets, options):
    """Train in place."""
    sequences = tokenizer(list(smiles), truncation=True, max_length=LONGEST)["input_ids"]
    lengths = np.array([len(sequence) for sequence in sequences])
    head = nn.Linear(model.config.hidden_size, targets.shape[1])
    learned = [*model.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(learned, options.learning_rate, weight_decay=0.01, fused=True)
    scale = 1 / targets[:10_000].std()
    steps = options.epochs * -(-len(sequences) // BATCH)
    step, losses, started = 0, [], time.monotonic()
    for epoch in range(options.epochs):
        for rows in batches(lengths, np.random.default_rng((options.seed, epoch))):
            share = min((step + 1) / (0.05 * steps), 0.5 * (1 + math.cos(math.pi * step / steps)))
            optimiser.param_groups[0]["lr"] = options.learning_rate * share
            ids = padded([sequences[row] for row in rows], tokenizer.pad_token_id)
            mask = (ids != tokenizer.pad_token_id).long()
            with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
                hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state  # (b, t, 384)
                predicted = head((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))
            loss = nn.functional.mse_loss(predicted.float(), torch.from_numpy(targets[rows]) * scale)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learned, 1.0)
            optimiser.step()
            losses.append(loss.item())
            step += 1
            if step % 50 == 0:
                seconds = time.monotonic() - started
                logger.info("step %d of %d, loss %.4f, %.0f s", step, steps, np.mean(losses), seconds)
                losses = []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("molecules")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--exclude", type=Path)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    excluded = set(options.exclude.read_text().split()) if options.exclude else set()
    with open_molecule_embeddings(options.molecules) as file:
        rows = np.flatnonzero([key not in excluded for key in file.inchikey14])
        rows = np.sort(np.random.default_rng(options.seed).permutation(rows)[: options.most])
        smiles, targets = file.read("smiles")[rows], file.embedding[:][rows].astype(np.float32)
    tokenizer = make_tokenizer(smiles)
    model = make_model(tokenizer, options.seed)
    logger.info("%d molecules, %d tokens, %d targets", len(smiles), len(tokenizer), targets.shape[1])
    train(model, tokenizer, smiles, targets, options)
    model.save_pretrained(options.output)
    tokenizer.save_pretrained(options.output)


if __name__ == "__main__":
    main()
