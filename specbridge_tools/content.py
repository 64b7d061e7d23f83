"""What a file is by its first bytes, where it is none of ours to read as text."""

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAGIC = (
    (HDF5_SIGNATURE, "an HDF5 file"),
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstandard file"),
    (b"\x1f\x8b", "gzip within gzip"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"SQLite format 3\x00", "an SQLite database"),
)


def foreign(head):
    """`an xz file` and the like for bytes that no text begins with, or None."""
    for magic, what in _MAGIC:
        if head.startswith(magic):
            return what
    return "binary data" if b"\x00" in head[:4096] and not head.startswith((b"\xff\xfe", b"\xfe\xff")) else None


def beginning(head):
    """The first words of some bytes, fit for a message."""
    first = head.lstrip().splitlines()[:1] or [b""]
    text = first[0][:40].decode("utf-8", errors="replace")
    return repr("".join(letter if letter.isprintable() and letter != "\ufffd" else "?" for letter in text))
