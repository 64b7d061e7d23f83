import csv
import json
import os


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


def test_json_tells_the_same(run, tmp_path):
    path = tmp_path / "home/weights/dreams-ssl/ssl_model.ckpt"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    found = {entry["name"]: entry for entry in json.loads(run("sb-models", "--json", env=environment(tmp_path)).stdout)}
    assert found["dreams-ssl"]["status"] == "present"
    assert found["dreams-ssl"]["path"] == str(path)
    assert len(found["dreams-ssl"]["sha256"]) == 64
    assert found["chemberta-augmented-pubchem-13m"]["dimension"] is None


def test_a_terminal_gets_a_table(monkeypatch, tmp_path):
    import io

    from specbridge_tools.encoders.weights import list_weights
    from specbridge_tools.report.weights_table import write_weights

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    write_weights(list_weights(store=tmp_path), stream)
    (line,) = [line for line in stream.getvalue().splitlines() if "dreams-ssl" in line]
    assert line.split()[:5] == ["dreams-ssl", "spectral", "encoder", "1024", "MIT"]
    assert "\t" not in stream.getvalue()


def test_nothing_to_give(call):
    call("sb-models", "dreams-ssl", status=2)
