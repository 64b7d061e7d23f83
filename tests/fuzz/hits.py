"""Hits tables: TSV and JSON lines."""

from collections.abc import Sequence
from pathlib import Path

from fuzz import seeds
from fuzz.cases import Format
from fuzz.texts import TEXT, modules_of


def make_seeds(folder: Path) -> dict[str, Sequence[tuple[str, ...]]]:
    seeds.make_library(folder)
    seeds.make_model(folder / "model.safetensors")
    query = ("sb-query", "spectra.mgf", "--index", "index.h5", "--model", "model.safetensors", "--rerank", "0")
    commands = (
        ("sb-info", "{file}"),
        ("sb-merge", "{file}", "-o", "out"),
        ("sb-report", "{file}", "--model", "{seeds}/model.safetensors", "-o", "out"),
        ("sb-export", "{file}", "--format", "mztab-m", "-o", "out"),
        ("sb-export", "{file}", "--format", "graphml", "--top", "0", "-o", "out"),
        ("sb-evaluate", "{file}", "--truth", "{seeds}/truth.mgf", "--resamples", "10", "--show", "3", "-o", "out"),
    )
    truth = seeds.SPECTRA.replace("ADDUCT=", "SMILES=CC(=O)Nc1ccc(O)cc1\nADDUCT=")
    (folder / "truth.mgf").write_text(truth, encoding="utf-8")
    for name in ("tsv", "jsonl"):
        seeds.run(folder, *query, "--format", name, "-o", name, "--threads", "1")
    return {"tsv": commands, "jsonl": commands}


FORMAT = Format(modules_of("info", "merge", "report", "export", "evaluate"), make_seeds, TEXT)
