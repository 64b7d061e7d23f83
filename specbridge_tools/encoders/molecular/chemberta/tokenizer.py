"""Tokenizers of SMILES: letters that a vocabulary lacks are lost without a word.

A folder whose merges file is empty (ChemBERTa-77M-MLM and -MTR, ChemBERTa_augmented_pubchem_13m) holds atoms such as
`Cl` and `[C@@H]` in its vocabulary, but nothing joins letters to them. RobertaTokenizerFast, with which these models
were trained (chemberta/train/utils.py of bert-loves-chemistry, and chem_mrl), takes single letters and drops those that
the vocabulary lacks: `Cl` is read as `C`, `Br` as `B`, `[C@@H]` as `C`, `[Na+]` as `N`. It is the same here, since no
other tokens mean anything to these models; the tokens of whole atoms were never trained. Molecules that differ in
nothing else have the same vector. How much of common molecules is lost is measured.
"""

from __future__ import annotations

import contextlib
import json
import logging
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from specbridge_tools.errors import DataError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# at most this share of the letters of `SAMPLE` may be lost
MOST_UNKNOWN = 0.1
SAMPLE = (
    "CC(=O)Nc1ccc(O)cc1",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "O=C(O)c1ccccc1Nc1c(Cl)cccc1Cl",
    "OCC1OC(O)C(O)C(O)C1O",
    "CC12CCC3C(CCC4=CC(=O)CCC34C)C1CCC2O",
    "COc1cc2c(cc1OC)C(=O)C(CC1CCN(Cc3ccccc3)CC1)C2",
    "NC(Cc1c[nH]c2ccccc12)C(=O)O",
    "CS(=O)(=O)c1ccc(C2=C(c3ccccc3)C(=O)OC2)cc1",
    "CCOP(=S)(OCC)Oc1nc(Cl)c(Cl)cc1Cl",
    "C[N+](C)(C)CCO",
    "O=c1c(O)c(-c2ccc(O)c(O)c2)oc2cc(O)cc(O)c12",
    "CN1CCC23c4c5ccc(O)c4OC2C(O)C=CC3C1C5",
    "N#Cc1ccc(C(c2ccc(C#N)cc2)n2cncn2)cc1",
    "Brc1ccc(OCCN2CCOCC2)cc1",
    "FC(F)(F)c1ccc(N2CCNCC2)cc1",
    "CCCCCCCCC=CCCCCCCCC(=O)O",
    "CC(C)NCC(O)COc1cccc2ccccc12",
    "O=C1CN=C(c2ccccc2)c2cc(Cl)ccc2N1",
    "Cc1nnc(NS(=O)(=O)c2ccc(N)cc2)s1",
)
# tokenizers begin the first token of a word with these
_MARKS = "\u0120\u2581"
logger = logging.getLogger(__name__)


def read_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a folder, by its tokenizer.json where there is one: that is what the model was trained with.

    Some releases of transformers make another one from class and vocabulary, which do not show all that it holds.

    Raises:
        DataError: Where the folder holds no tokenizer, or one that asks for code of its own.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast
    from transformers.utils import logging as transformers_logging

    _refuse_code(folder)
    kind = PreTrainedTokenizerFast if (folder / "tokenizer.json").is_file() else AutoTokenizer
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        return kind.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # the library of tokenizers raises nothing more special for a broken file
        reason = textwrap.shorten(str(error), 200, placeholder=" ...")
        advice = "expected tokenizer.json, or vocab.json and merges.txt"
        raise DataError(f"holds no tokenizer in Hugging Face layout ({reason})", where=folder, advice=advice) from error
    finally:
        transformers_logging.set_verbosity(verbosity)


def _refuse_code(folder: Path) -> None:
    """Raise `DataError` where the tokenizer is code in the folder and no tokenizer.json says the same as data."""
    path = folder / "tokenizer_config.json"
    if (folder / "tokenizer.json").is_file() or not path.is_file():
        return
    with contextlib.suppress(OSError, ValueError, RecursionError):  # a broken file is named when it is read
        values = json.loads(path.read_bytes())
        if isinstance(values, dict) and values.get("auto_map"):
            message = "auto_map asks for a tokenizer that is code beside the weights, which is never run"
            raise DataError(message, where=path, advice="put its tokenizer.json there, or take a model without code")


def check_tokenizer(tokenizer: PreTrainedTokenizerBase, name: object) -> None:
    """Refuse a tokenizer that loses more than a tenth of the letters of `SAMPLE`; warn where it loses any.

    Raises:
        DataError: Naming what is lost.
    """
    lost = [lost_letters(tokenizer, smiles) for smiles in SAMPLE]
    share = sum(map(len, lost)) / sum(map(len, SAMPLE))
    letters = " ".join(sorted(set("".join(lost))))
    if share > MOST_UNKNOWN:
        message = f"its tokenizer loses {share:.0%} of the letters of common SMILES ({letters})"
        advice = f"at most {MOST_UNKNOWN:.0%} may be unknown; are the tokenizer files those of the model?"
        raise DataError(message, where=name, advice=advice)
    if share:
        logger.warning(
            "%s: its vocabulary lacks %s, %.1f %% of the letters of common SMILES", name, letters, 100 * share
        )


def lost_letters(tokenizer: PreTrainedTokenizerBase, smiles: str) -> str:
    """The letters of a SMILES that no token but the unknown one stands for, in their order.

    Tokens are looked for in the SMILES one after the other, since the places that tokenizers report are wrong after a
    letter that they have dropped.
    """
    numbers = tokenizer(smiles, add_special_tokens=False)["input_ids"]
    lost, at = "", 0
    for token in tokenizer.convert_ids_to_tokens(numbers):
        text = token.lstrip(_MARKS)
        place = -1 if token == tokenizer.unk_token else smiles.find(text, at)
        if place >= 0:
            lost, at = lost + smiles[at:place], place + len(text)
    return lost + smiles[at:]
