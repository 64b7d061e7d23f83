"""sb-query over several indexes: what one index of all gives, byte for byte."""

import pytest

ELEMENTS = ("C", "N", "O")


@pytest.fixture
def made(call, tmp_path):
    """Overlapping tables of molecules, isomers among them; the index of each and one of all."""
    chains = ["".join(ELEMENTS[number // 3**place % 3] for place in range(4)) for number in range(81)]
    smiles = sorted({f"C{chain}C" for chain in chains if "OO" not in chain and "NN" not in chain and "NO" not in chain})
    for name, part in (("a", smiles[:30]), ("b", smiles[20:45]), ("c", smiles[10:15] + smiles[45:])):
        rows = "".join(f"{name}{i}\t{text}\n" for i, text in enumerate(part))
        (tmp_path / f"{name}.tsv").write_text(f"id\tsmiles\n{rows}")
        call("sb-embed-mols", f"{name}.tsv", "-o", f"{name}.h5")
        (tmp_path / "folder").mkdir(exist_ok=True)
        call("sb-build-index", f"{name}.h5", "-o", f"folder/{name}.h5")
    call("sb-build-index", "a.h5", "b.h5", "c.h5", "-o", "all.h5")
    records = [
        f"BEGIN IONS\nTITLE=q{i}\nPEPMASS={mz}\nCHARGE=1+\nFORMULA={formula}\n40.1 1\n60.2 2\nEND IONS\n"
        for i, (mz, formula) in enumerate([(103.1, "C5H13N"), (89.1, "C5H12O"), (105.08, "C4H10O2"), (20.0, "C")])
    ]
    (tmp_path / "spectra.mgf").write_text("".join(records))
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ("--tolerance", "3Da", "--top", "0"),
        ("--tolerance", "10ppm",),
        ("--mode", "formula"),
        ("--mode", "open", "--exact", "--top", "7"),
        ("--mode", "open", "--exact", "--top", "0"),
    ],
)  # fmt: skip
def test_several_count_as_one(call, made, options):
    common = ("spectra.mgf", "--rerank", "0", *options)
    call("sb-query", *common, "--index", "all.h5", "-o", "one.tsv")
    one = (made / "one.tsv").read_text()
    each = [word for name in "abc" for word in ("--index", f"folder/{name}.h5")]
    call("sb-query", *common, *each, "-o", "several.tsv")
    assert (made / "several.tsv").read_text() == one
    call("sb-query", *common, "--index", "folder", "-o", "folder.tsv")
    assert (made / "folder.tsv").read_text() == one
    assert ";c" in one or "10ppm" in options


@pytest.mark.slow
@pytest.mark.graph
@pytest.mark.ivf
@pytest.mark.parametrize("kinds", [("--hnsw",) * 3, ("--ivf",) * 3, ("--hnsw", "--ivf", "--hnsw")])
def test_graphs_and_ivf_lists_of_several(call, made, kinds):
    """So small that none misses a molecule: the hits are those of an exact search of one index of all."""
    common = ("spectra.mgf", "--rerank", "0", "--mode", "open", "--top", "7")
    call("sb-query", *common, "--exact", "--index", "all.h5", "-o", "one.tsv")
    (made / "found").mkdir()
    for name, kind in zip("abc", kinds, strict=True):
        call("sb-build-index", f"{name}.h5", kind, "-o", f"found/{name}.h5")
    call("sb-query", *common, "--index", "found", "-o", "several.tsv")
    assert (made / "several.tsv").read_text() == (made / "one.tsv").read_text()


@pytest.mark.slow
def test_what_cannot_be_one(call, made):
    call("sb-embed-mols", "a.tsv", "-o", "toy.h5", "--encoder", "toy")
    call("sb-build-index", "toy.h5", "-o", "toy-index.h5")
    common = ("sb-query", "spectra.mgf", "--index", "all.h5")
    assert b"belongs to" in call(*common, "--index", "toy-index.h5", "-o", "x.tsv", status=3).stderr
    (made / "empty").mkdir()
    assert b"without an index" in call(*common, "--index", "empty", "-o", "x.tsv", status=1).stderr
    for number in (1, 3):
        call("sb-embed-mols", "a.tsv", "--shard", f"{number}/3", "-o", "s.h5", "--force")
        call("sb-build-index", "s.h5", "-o", f"empty/{number}.h5")
    refused = call("sb-query", "spectra.mgf", "--index", "empty", "-o", "x.tsv", status=3)
    assert b"shard 2 of 3 missing" in refused.stderr
