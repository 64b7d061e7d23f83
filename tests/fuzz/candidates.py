"""Candidate lists."""

from collections.abc import Sequence
from pathlib import Path

from fuzz import seeds
from fuzz.cases import Format
from fuzz.texts import TEXT, modules_of

LISTS = """query_id\tid\tname\tsmiles\tpatents
a\t1\tp\tCC(=O)Nc1ccc(O)cc1\t12
a\t2\tq\tCOC(=O)c1ccc(N)cc1\t
b\t3\tr\tCN1C=NC2=C1C(=O)N(C)C(=O)N2C\t0
"""


def make_seeds(folder: Path) -> dict[str, Sequence[tuple[str, ...]]]:
    seeds.make_library(folder)
    seeds.make_model(folder / "model.safetensors")
    (folder / "lists").write_text(LISTS, encoding="utf-8")
    query = (
        "sb-query", "{seeds}/spectra.mgf", "--candidates", "{file}", "--model", "{seeds}/model.safetensors",
        "--rerank", "0", "-o", "out", "--threads", "1",
    )  # fmt: skip
    encoded = (*query, "--encoder", "toy:dimension=8")
    return {"lists": (encoded, (*query, "--index", "{seeds}/index.h5"), (*encoded, "--prior", "patents"))}


FORMAT = Format(modules_of("query"), make_seeds, TEXT)
