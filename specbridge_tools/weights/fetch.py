"""Downloads of known weights into the user's store: the only code that goes online, and only when asked to."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from specbridge_tools.errors import DataError, TryAgainError, UsageError
from specbridge_tools.progress import SilentProgress
from specbridge_tools.provenance import CREATED_BY, sha256_file
from specbridge_tools.weights import catalogue
from specbridge_tools.weights.store import known

HUB = "https://huggingface.co/"
_ZENODO_DOI = "https://doi.org/10.5281/zenodo."
_ZENODO_API = "https://zenodo.org/api/records/"
_BLOCK = 1 << 20
_TIMEOUT_S = 60
_HUB_FILES = ("*.json", "*.txt", "*.model")


def fetch_weights(
    name: str, *, force: bool = False, display: SilentProgress | None = None, zenodo: str = _ZENODO_API
) -> catalogue.LocalWeights:
    """Download the weights of a known name; a download that was broken off is continued.

    Args:
        name: As `sb-models` lists it.
        force: Whether a file that is here already is replaced.
        display: Shows progress in bytes.
        zenodo: Address of the API.

    Raises:
        TryAgainError: Without a network.
        DataError: Where the file does not have the hash that its source publishes.
        UsageError: Where it is here already and `force` is not set.
    """
    entry = known(name)
    destination = catalogue.own_path(entry)
    if destination.is_file() and not force:
        raise UsageError("is here already", where=destination, advice="--force fetches it again")
    destination.parent.mkdir(parents=True, exist_ok=True)
    if entry.source.startswith(HUB):
        _fetch_from_hub(entry, destination)
    else:
        record = _json(zenodo + entry.source.removeprefix(_ZENODO_DOI))
        address, md5 = _file_of_record(record, entry.file, where=entry.source)
        download(address, destination, md5=md5, display=display)
    digest = sha256_file(destination)
    if entry.sha256 and digest != entry.sha256:
        destination.unlink()
        raise DataError(f"SHA-256 {digest}, published is {entry.sha256}", where=entry.source)
    return catalogue.LocalWeights(entry, "present", str(destination), digest)


def download(address: str, destination: str | Path, *, md5: str = "", display: SilentProgress | None = None) -> None:
    """Bytes of an address -> a file that appears whole and with the right MD5, or not at all.

    They are collected in `DESTINATION.part`, from whose end a broken download is continued.
    """
    part = Path(f"{destination}.part")
    done = part.stat().st_size if part.exists() else 0
    request = _request(address, {"Range": f"bytes={done}-"} if done else {})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            resumed = response.status == 206
            total = int(response.headers.get("Content-Length", 0)) + (done if resumed else 0)
            with open(part, "ab" if resumed else "wb") as file:
                while block := response.read(_BLOCK):
                    file.write(block)
                    if display is not None:
                        display.advance(len(block))
            if part.stat().st_size < total:
                raise ConnectionError(f"the download broke off before its {total} bytes")
    except urllib.error.HTTPError as error:
        if error.code != 416:  # nothing is left to send
            raise DataError(f"the server answered {error.code} {error.reason}", where=address) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _no_network(address, error) from error
    if md5 and _md5(part) != md5:
        part.unlink()
        raise DataError("the download is not the published file (MD5)", where=address, advice="fetch it again")
    os.replace(part, destination)


def _json(address: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(_request(address), timeout=_TIMEOUT_S) as response:
            record: dict[str, Any] = json.loads(response.read())
            return record
    except urllib.error.HTTPError as error:
        raise DataError(f"the server answered {error.code} {error.reason}", where=address) from error
    except (OSError, ValueError, RecursionError, http.client.HTTPException) as error:
        raise _no_network(address, error) from error


def _request(address: str, headers: Mapping[str, str] | None = None) -> urllib.request.Request:
    return urllib.request.Request(address, headers={"User-Agent": CREATED_BY.replace(" ", "/"), **(headers or {})})


def _no_network(address: str, error: Exception) -> TryAgainError:
    reason = " ".join(str(error.reason if isinstance(error, urllib.error.URLError) else error).split())
    return TryAgainError(
        f"cannot be reached ({reason})", where=address, advice="download the file elsewhere, then sb-models add"
    )


def _file_of_record(record: Mapping[str, Any], name: str, *, where: str) -> tuple[str, str]:
    """(address, MD5 or '') of a file of a Zenodo record."""
    for file in record.get("files", []):
        if file.get("key") == name:
            kind, _, digest = file.get("checksum", "").partition(":")
            return file["links"]["self"], digest if kind == "md5" else ""
    raise DataError(f"the record holds no file {name}", where=where)


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _fetch_from_hub(entry: catalogue.KnownWeights, destination: Path) -> None:
    """Weights, configuration and tokenizer of a repository on the Hugging Face hub into the folder of `destination`."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    # httpx or requests, whichever this release of the hub's client uses
    of_client = [base for base in HfHubHTTPError.__bases__ if issubclass(base, Exception)]
    errors: tuple[type[Exception], ...] = (OSError, ValueError, *of_client)
    repository = entry.source.removeprefix(HUB)
    try:
        published = HfApi().model_info(repository, files_metadata=True).siblings
        _snapshot(repository, [entry.file, *_HUB_FILES], local_dir=destination.parent)
    except errors as error:
        raise _no_network(entry.source, error) from error
    for file in published or []:
        if file.rfilename == entry.file and file.lfs is not None and file.lfs.sha256 != sha256_file(destination):
            destination.unlink()
            raise DataError("the download is not the published file (SHA-256)", where=entry.source)


def fetch_hub_folder(name: str, *, weights: Sequence[str]) -> Path:
    """A repository on the Hugging Face hub, from its cache on this machine or downloaded now.

    Args:
        name: `owner/repository`.
        weights: Patterns of the weight files' names.

    Raises:
        DataError: Where it cannot be downloaded.
    """
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return _snapshot(name, [*_HUB_FILES, *weights])
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"cannot be downloaded ({reason})", where=name) from error


def _snapshot(repository: str, patterns: Sequence[str], *, local_dir: Path | None = None) -> Path:
    """The files of a repository, without the progress bars of the hub's client, which know no --quiet and no pipe."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    were_disabled = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        return Path(snapshot_download(repository, allow_patterns=list(patterns), local_dir=local_dir))
    finally:
        if not were_disabled:
            enable_progress_bars()
