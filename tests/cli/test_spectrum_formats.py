"""Every format of spectra through the commands that read them, as files and as pipes."""

import json

import pytest
from library_files import GNPS, MASSBANK, MONA, MZSPECLIB, SIRIUS, mzmlb

FILES = {
    "massbank": (MASSBANK.encode(), 1),
    "sirius": (SIRIUS.encode(), 3),
    "gnps": (GNPS.encode(), 1),
    "mona": (MONA.encode(), 1),
    "mzspeclib": (MZSPECLIB.encode(), 1),
    "mzmlb": (mzmlb([50.5, 75.04], [1, 2], precursor_mz=75.044), 1),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, save_toy_model):
    """One file of each format, with a name that says nothing, and an index of two molecules."""
    from specbridge_tools.cli.build_index import main as build_index
    from specbridge_tools.cli.embed_mols import main as embed_mols

    folder = tmp_path_factory.mktemp("formats")
    for name, (content, _) in FILES.items():
        (folder / name).write_bytes(content)
    save_toy_model(folder / "model", dimension=8, spectrum_dimension=16)
    (folder / "molecules").write_text("id\tsmiles\nA\tNCC(=O)O\nB\tc1cc(ccc1N)S(=O)(=O)Nc2cncc(n2)Cl\n")
    paths = {name: str(folder / name) for name in ("molecules", "embedded", "index", "model")}
    embed_mols.main(
        [paths["molecules"], "-o", paths["embedded"], "--encoder", "toy:dimension=8", "--quiet"], standalone_mode=False
    )
    build_index.main(
        [paths["embedded"], "-o", paths["index"], "--model", paths["model"], "--quiet"], standalone_mode=False
    )
    return folder


@pytest.mark.parametrize("name", FILES)
def test_info(call, folder, name):
    values = json.loads(call("sb-info", str(folder / name), "--format", "json").stdout)
    assert values["kind"] == "spectra"
    assert values["format"] == {"gnps": "json", "mona": "json"}.get(name, name)
    assert (values["n"], values["n_rejected"]) == (FILES[name][1], 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_query(call, folder, name):
    options = ["--index", str(folder / "index"), "--model", str(folder / "model")]
    done = call("sb-query", str(folder / name), *options)
    assert f"{FILES[name][1]} spectra read, 0 rejected".encode() in done.stderr
    if name == "mzmlb":
        assert done.stdout.count(b"\n") == 2
    parts = [call("sb-query", str(folder / name), *options, "--shard", f"{n}/2").stdout for n in (1, 2)]
    rows = [line.rpartition(b"\t")[0] for part in parts for line in part.splitlines()[1:]]
    assert rows == done.stdout.splitlines()[1:]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mzmlb", "gnps"])
def test_a_pipe(run, folder, name):
    options = ["--index", str(folder / "index"), "--model", str(folder / "model")]
    from_file = run("sb-query", str(folder / name), *options).stdout
    assert run("sb-query", "-", *options, stdin=FILES[name][0]).stdout == from_file


@pytest.mark.parametrize("name", FILES)
def test_split_and_merge(call, folder, name, tmp_path):
    call("sb-split", str(folder / name), "--size", "1", "-o", str(tmp_path / "part"))
    parts = sorted(tmp_path.glob("part.*.mgf"))
    assert len(parts) == FILES[name][1]
    merged = call("sb-merge", *map(str, parts), "-o", "-").stdout
    assert merged == call("sb-merge", str(folder / name), "-o", "-").stdout
    assert merged.count(b"BEGIN IONS") == FILES[name][1]
