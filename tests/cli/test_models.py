import csv
import json
import os

import pytest


def environment(tmp_path, **more):
    return {**os.environ, "SPECBRIDGE_HOME": str(tmp_path / "home"), **more}


def test_a_pipe_gets_tsv(run, tmp_path):
    done = run("sb-models", env=environment(tmp_path))
    rows = {row["name"]: row for row in csv.DictReader(done.stdout.decode().splitlines(), delimiter="\t")}
    assert rows["dreams-embedding"]["dimension"] == "1024"
    assert rows["dreams-embedding"]["licence"] == "MIT"
    assert rows["dreams-embedding"]["source"] == "https://doi.org/10.5281/zenodo.10997887"
    assert rows["dreams-embedding"]["status"] == "absent"
    assert rows["chemberta-77m-mtr"]["role"] == "molecular encoder"
    assert rows["chemberta-77m-mtr"]["licence"] == ""
    assert rows["default"]["licence"] == "CC-BY-SA-4.0"
    assert b"\x1b" not in done.stdout
    assert done.stderr == b""


def test_each_entry_tells_all_that_is_known(run, tmp_path):
    done = run("sb-models", "list", env=environment(tmp_path))
    rows = list(csv.DictReader(done.stdout.decode().splitlines(), delimiter="\t"))
    assert {"name", "description", "dimension", "licence", "source", "file", "sha256", "status"} <= set(rows[0])
    names = {"dreams-ssl", "dreams-embedding", "chemberta-augmented-pubchem-13m", "chemberta-77m-mtr"}
    assert names | {"chemberta-77m-mlm", "chemberta-zinc-base-v1", "default"} <= {row["name"] for row in rows}
    for row in rows:
        assert row["description"]
        assert int(row["dimension"]) > 0
        assert row["source"].startswith(("https://doi.org/", "https://huggingface.co/", "specbridge_tools"))
        assert row["file"].endswith((".ckpt", ".bin", ".safetensors"))


def test_json_tells_the_same(run, tmp_path):
    path = tmp_path / "home/weights/dreams-ssl/ssl_model.ckpt"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    found = {
        entry["name"]: entry
        for entry in json.loads(run("sb-models", "--format", "json", env=environment(tmp_path)).stdout)
    }
    assert found["dreams-ssl"]["status"] == "present"
    assert found["dreams-ssl"]["path"] == str(path)
    assert len(found["dreams-ssl"]["sha256"]) == 64
    assert found["chemberta-augmented-pubchem-13m"]["dimension"] == 768


def test_a_terminal_gets_a_table(monkeypatch, tmp_path):
    import io

    from specbridge_tools.report.weights_table import write_weights
    from specbridge_tools.weights.catalogue import list_weights

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    write_weights(list_weights(store=tmp_path), stream)
    (line,) = [line for line in stream.getvalue().splitlines() if "dreams-ssl" in line]
    assert line.split()[-1] == "ssl_model.ckpt"
    assert line.split()[:5] == ["dreams-ssl", "spectral", "encoder", "1024", "MIT"]
    assert "\t" not in stream.getvalue()


def test_nothing_to_give(call):
    call("sb-models", "dreams-ssl", status=2)


def test_list_is_what_it_does_without_a_word(call, monkeypatch, tmp_path):
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "home"))
    assert call("sb-models", "list").stdout == call("sb-models").stdout != b""
    assert call("sb-models", "list", "--format", "json").stdout == call("sb-models", "--format", "json").stdout


def test_a_file_is_added_and_then_present(call, monkeypatch, tmp_path):
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "home"))
    (tmp_path / "mine.ckpt").write_bytes(b"weights")
    done = call("sb-models", "add", "dreams-ssl", "mine.ckpt")
    stored = tmp_path / "home/weights/dreams-ssl/ssl_model.ckpt"
    assert stored.read_bytes() == b"weights"
    assert str(stored) in done.stderr.decode()
    assert b"exists already" in call("sb-models", "add", "dreams-ssl", "mine.ckpt", status=2).stderr
    assert call("sb-models", "-q", "add", "dreams-ssl", "mine.ckpt", "--force").stderr == b""
    found = {entry["name"]: entry for entry in json.loads(call("sb-models", "--format", "json").stdout)}
    assert found["dreams-ssl"]["status"] == "present"
    assert b"no weights 'nothing'; known: dreams-ssl" in call("sb-models", "add", "nothing", "x", status=2).stderr
    assert b"no file gone.ckpt" in call("sb-models", "add", "dreams-ssl", "gone.ckpt", status=1).stderr


def test_a_folder_is_added_with_its_small_files(call, monkeypatch, tmp_path):
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "hub"
    folder.mkdir()
    for name in ("pytorch_model.bin", "config.json", "merges.txt", "README.md"):
        (folder / name).write_text(name)
    call("sb-models", "add", "chemberta-77m-mtr", "hub")
    stored = tmp_path / "home/weights/chemberta-77m-mtr"
    assert sorted(os.listdir(stored)) == ["config.json", "merges.txt", "pytorch_model.bin"]


def test_a_checkpoint_is_converted(call, tmp_path):
    import torch

    from specbridge_tools.encoders.spectral.dreams.network import DreamsConfig, DreamsNetwork

    config = DreamsConfig.official(d_peak=8, d_fourier=24, fourier_hidden=16, n_layers=1)
    torch.save({"state_dict": DreamsNetwork(config).state_dict()}, tmp_path / "in.ckpt")
    done = call("sb-models", "import", "in.ckpt", "out.safetensors")
    assert b" tensors written, " in done.stderr
    assert (tmp_path / "out.safetensors").stat().st_size > 100_000
    assert b"exists already" in call("sb-models", "import", "in.ckpt", "out.safetensors", status=2).stderr
    (tmp_path / "text").write_text("text")
    refused = call("sb-models", "import", "text", "o", status=1).stderr
    assert b"expected a torch checkpoint or a safetensors file" in refused
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("name", ["dreams-ssl", "chemberta-77m-mtr"])
def test_without_a_network_there_is_one_line_and_status_75(run, tmp_path, name):
    nowhere = {f"{scheme}_proxy": "http://127.0.0.1:9" for scheme in ("http", "https", "HTTP", "HTTPS")}
    done = run("sb-models", "fetch", name, env=environment(tmp_path, HF_HUB_OFFLINE="1", **nowhere), status=75)
    (line,) = done.stderr.decode().splitlines()
    assert "cannot be reached" in line
    assert "sb-models add" in line
