"""What commands write, held against files: one line a test. README.md says how to add one."""

import os
import re
import shutil
from pathlib import Path

import pytest

from specbridge_tools import __version__

EXPECTED = Path(__file__).parent / "expected"
INPUTS = (Path(__file__).parents[2] / "galaxy_wrappers/test-data", Path(__file__).parent / "input")
WRITE = bool(os.environ.get("SPECBRIDGE_WRITE_GOLDEN"))
TOLERANCE = 1e-5
NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?|-?\d+e-\d+")
QUERY = "sb-query spectra.mgf --index index.h5 --model model.safetensors"
EXPORT = "sb-export hits.tsv --spectra spectra.mgf --format"

CASES = (
    ("molecules.txt", "sb-embed-mols molecules.tsv --encoder toy -o m.h5; sb-info m.h5"),
    ("morgan.txt", "sb-embed-mols molecules.tsv --encoder morgan:dimension=64 -o m.h5; sb-info m.h5"),
    ("molecules.json", "sb-embed-mols molecules.tsv --encoder toy -o m.h5; sb-info m.h5 --format json"),
    ("molecules.rejects.tsv", "sb-embed-mols faults.tsv --encoder toy -o m.h5 --rejects r.tsv; cat r.tsv"),
    ("spectra.txt", "sb-embed-spectra spectra.mgf --model model.safetensors -o s.h5; sb-info s.h5"),
    ("index.txt", "sb-build-index molecules.h5 --model model.safetensors -o i.h5; sb-info i.h5"),
    ("model.txt", "sb-info model.safetensors"),
    ("cosine.tsv", f"{QUERY} --top 3"),
    ("cosine.jsonl", f"{QUERY} --top 1 --format jsonl"),
    ("formula.tsv", f"{QUERY} --mode formula --top 2"),
    ("open.tsv", f"{QUERY} --mode open --exact --top 2"),
    ("lists.tsv", "sb-query spectra.mgf --candidates candidates.tsv --model model.safetensors --top 2"),
    ("groups.tsv", f"{QUERY} --group-by name --top 2"),
    ("no_candidate.tsv", "sb-query empty.mgf --index index.h5 --model model.safetensors --allow-empty"),
    ("reranked.tsv", "sb-rerank hits.tsv --spectra spectra.mgf --reference none"),
    ("reranked_with_reference.tsv", "sb-rerank hits.tsv --spectra spectra.mgf"),
    ("reference.txt", "sb-build-reference train.mgf --encoder toy -o r.h5; sb-info r.h5"),
    (
        "peaks.tsv",
        "sb-rerank hits.tsv --spectra spectra.mgf --reference none --explain peaks.tsv --explain-top 1; cat peaks.tsv",
    ),
    ("metrics.tsv", "sb-evaluate hits.tsv --truth spectra.mgf --resamples 50"),
    ("identified.txt", "sb-evaluate hits.tsv --truth spectra.mgf --resamples 50 --show 3"),
    ("export.mztab", f"{EXPORT} mztab-m --top 2"),
    (
        "export.usi.mztab",
        "sb-query usi.mgf --index index.h5 --model model.safetensors -o h.tsv; "
        "sb-export h.tsv --spectra usi.mgf --format mztab-m --top 1",
    ),
    ("export.sirius.tsv", f"{EXPORT} sirius --top 2"),
    ("export.maf.tsv", f"{EXPORT} maf --top 0"),
    ("export.mgf", f"{EXPORT} mgf"),
    ("export.graphml", f"{EXPORT} graphml --top 2"),
    ("export.edges.tsv", f"{EXPORT} tsv-edges"),
    (
        "export.with_reference.tsv",
        "sb-rerank hits.tsv --spectra spectra.mgf -o r.tsv; sb-export r.tsv --format tsv-edges",
    ),
    ("split.mgf", "sb-split train.mgf --by structure --fractions 0.5,0.5 -o parts/; cat parts/val.mgf"),
    ("split.tsv", "sb-split molecules.tsv --by structure --fractions 0.8,0.2 -o parts/; cat parts/val.tsv"),
    ("cosine.tsv", f"{QUERY} --top 3 --shard 1/2 -o 1.tsv; {QUERY} --top 3 --shard 2/2 -o 2.tsv; sb-merge 1.tsv 2.tsv"),
    ("merged.txt", "sb-merge index.1.h5 index.2.h5 -o i.h5; sb-info i.h5"),
    ("behind.mgf", "sb-split behind.msp --parts 1 -o p/; cat p/0001.mgf"),
    ("msfinder.mgf", "sb-split msfinder.mat --parts 1 -o p/; cat p/0001.mgf"),
    ("polarity.mgf", "sb-split polarity.mgf --parts 1 -o p/; cat p/0001.mgf"),
    (
        "unknowns.rejects.tsv",
        "sb-embed-spectra unknowns.msp --model model.safetensors -o s.h5 --rejects r.tsv; cat r.tsv",
    ),
    ("levels.mgf", "sb-split levels.mzML --parts 1 -o p/; cat p/0001.mgf"),
    ("window.mgf", "sb-split window.mzML --parts 1 -o p/; cat p/0001.mgf"),
    ("massbank.mgf", "sb-split massbank.txt --parts 1 -o p/; cat p/0001.mgf"),
    ("sirius.mgf", "sb-split sirius.ms --parts 1 -o p/; cat p/0001.mgf"),
    ("mona.mgf", "sb-split mona.json --parts 1 -o p/; cat p/0001.mgf"),
    ("gnps.mgf", "sb-split gnps.json --parts 1 -o p/; cat p/0001.mgf"),
    ("mzspeclib.mgf", "sb-split mzspeclib.txt --parts 1 -o p/; cat p/0001.mgf"),
    ("numpress.mgf", "sb-split numpress.mzML --parts 1 -o p/; cat p/0001.mgf"),
    ("mzmlb.mgf", "sb-split arrays.mzMLb --parts 1 -o p/; cat p/0001.mgf"),
    ("convert.mgf", "sb-convert massspecgym massspecgym.tsv massspecgym.json -o msg; cat msg/test.mgf"),
    ("convert.tsv", "sb-convert massspecgym massspecgym.tsv massspecgym.json -o msg; cat msg/candidates.tsv"),
)


@pytest.mark.parametrize(("expected", "commands"), CASES, ids=[f"{name}: {line}" for name, line in CASES])
def test_golden(expected, commands, call, tmp_path):
    for folder in INPUTS:
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    for command in commands.split("; "):
        name, *arguments = command.split()
        output = (tmp_path / arguments[0]).read_bytes() if name == "cat" else call(name, *arguments).stdout
    written = output.decode().replace(f"specbridge_tools {__version__}", "specbridge_tools VERSION")
    if WRITE:
        (EXPECTED / expected).write_text(written, encoding="utf-8")
    assert_same(written, (EXPECTED / expected).read_text(encoding="utf-8"))


def assert_same(written, expected):
    """The same text, and in it the same numbers; those with a decimal point within the tolerance."""
    assert NUMBER.sub("#", written) == NUMBER.sub("#", expected)
    numbers, wanted = ([float(text) for text in NUMBER.findall(page)] for page in (written, expected))
    assert numbers == pytest.approx(wanted, rel=TOLERANCE, abs=TOLERANCE)


def test_every_file_is_used():
    assert {path.name for path in EXPECTED.iterdir()} == {name for name, _ in CASES}
