"""Who wrote a file and from what: version strings and content hashes."""

import hashlib

from specbridge_tools import __version__

CREATED_BY = f"specbridge_tools {__version__}"


def sha256_file(path):
    """SHA-256 of a file's bytes, hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(handle)


def _digest(handle):
    # hashlib.file_digest is new in Python 3.11
    digest = hashlib.sha256()
    while block := handle.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def sha256_text(text):
    """SHA-256 of a string's UTF-8 bytes, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
