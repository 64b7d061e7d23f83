"""Downloads, from a server in this very process."""

import hashlib
import http.server
import json
import threading

import pytest

from specbridge_tools.errors import DataError, TryAgainError, UsageError
from specbridge_tools.weights import fetch
from specbridge_tools.weights.fetch import download, fetch_weights

CONTENT = bytes(range(256)) * 5000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT as /file, with ranges; /cut breaks off in the middle; /records/10997887 describes it."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range")))
        if self.path == "/records/10997887":
            address = f"http://127.0.0.1:{self.server.server_port}/file"
            checksum = f"md5:{self.server.md5}"
            files = [{"key": "ssl_model.ckpt", "checksum": checksum, "links": {"self": address}}]
            return self.answer(200, json.dumps({"files": files}).encode())
        if self.path not in ("/file", "/cut"):
            return self.answer(404, b"")
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if start >= len(CONTENT):
            return self.answer(416, b"")
        return self.answer(206 if start else 200, CONTENT[start:], cut=self.path == "/cut")

    def answer(self, status, data, *, cut=False):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)

    def log_message(self, *values):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        made.asked, made.md5 = [], MD5
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        made.address = f"http://127.0.0.1:{made.server_port}"
        yield made
        made.shutdown()
        thread.join()


def test_a_broken_download_goes_on_where_it_ended(server, tmp_path):
    with pytest.raises(TryAgainError, match="cannot be reached"):
        download(f"{server.address}/cut", tmp_path / "x", md5=MD5)
    assert not (tmp_path / "x").exists()
    half = (tmp_path / "x.part").stat().st_size
    assert half == len(CONTENT) // 2
    download(f"{server.address}/file", tmp_path / "x", md5=MD5)
    assert server.asked[-1] == ("/file", f"bytes={half}-")
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert not (tmp_path / "x.part").exists()


def test_a_part_that_is_whole_is_taken(server, tmp_path):
    (tmp_path / "x.part").write_bytes(CONTENT)
    download(f"{server.address}/file", tmp_path / "x", md5=MD5)
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_other_bytes_than_published_are_refused(server, tmp_path):
    with pytest.raises(DataError, match="not the published file"):
        download(f"{server.address}/file", tmp_path / "x", md5="0" * 32)
    assert not list(tmp_path.iterdir())


def test_what_the_server_does_not_have_is_named(server, tmp_path):
    with pytest.raises(DataError, match="404"):
        download(f"{server.address}/gone", tmp_path / "x")


def test_known_weights_come_into_the_store(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path))
    found = fetch_weights("dreams-ssl", zenodo=f"{server.address}/records/")
    assert found.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert found.path == f"{tmp_path}/weights/dreams-ssl/ssl_model.ckpt"
    with pytest.raises(UsageError, match="is here already"):
        fetch_weights("dreams-ssl", zenodo=f"{server.address}/records/")
    fetch_weights("dreams-ssl", zenodo=f"{server.address}/records/", force=True)
    with pytest.raises(DataError, match=r"no file embedding_model\.ckpt"):
        fetch_weights("dreams-embedding", zenodo=f"{server.address}/records/")


def test_a_published_hash_binds(server, tmp_path, monkeypatch):
    import dataclasses

    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path))
    entry = dataclasses.replace(fetch.known("dreams-ssl"), sha256="0" * 64)
    monkeypatch.setattr(fetch.catalogue, "KNOWN", (entry,))
    with pytest.raises(DataError, match="published is 0000"):
        fetch_weights("dreams-ssl", zenodo=f"{server.address}/records/")
    assert not (tmp_path / "weights/dreams-ssl/ssl_model.ckpt").exists()


def test_the_client_of_the_hub_shows_no_bars(monkeypatch, tmp_path):
    import huggingface_hub
    from huggingface_hub.utils import are_progress_bars_disabled

    disabled = []

    def snapshot_download(*_, **__):
        disabled.append(are_progress_bars_disabled())
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    before = are_progress_bars_disabled()
    assert fetch.fetch_hub_folder("owner/name", weights=["*.safetensors"]) == tmp_path
    assert disabled == [True]
    assert are_progress_bars_disabled() == before
