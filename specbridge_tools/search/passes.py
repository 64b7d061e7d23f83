"""Reading spectra twice: a first pass says what is in the file, the second does the work."""

import collections
import contextlib
import gzip
import shutil
import tempfile

from specbridge_tools.embeddings.spectra import open_spectrum_embeddings
from specbridge_tools.errors import UsageError
from specbridge_tools.records import Rejection
from specbridge_tools.search.table import LIST_FIELD
from specbridge_tools.spectra.reader import count_spectra, read_spectra
from specbridge_tools.streams import display_name, open_input

_COPY = 1 << 20
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextlib.contextmanager
def rewindable(source):
    """Yield a binary file with `peek` that `seek(0)` brings back to its start; a pipe is copied to a temporary file."""
    with open_input(source) as stream:
        if _can_rewind(stream):
            yield stream
            return
        with tempfile.TemporaryFile(prefix="specbridge-") as copy:
            shutil.copyfileobj(stream, copy, _COPY)
            copy.seek(0)
            copy.raw.name = display_name(source)
            yield copy


def _can_rewind(stream):
    raw = getattr(stream, "raw", stream)
    return (raw.fileobj if isinstance(raw, gzip.GzipFile) else stream).seekable()


def count_values(stream, value_of, *, input_format="auto"):
    """How many spectra of a rewindable file have each value; rejected records count for none.

    value_of  spectrum -> its value, '' for none. The file is at its start before and after.
    """
    usable = (each for each in read_spectra(stream, input_format=input_format) if not isinstance(each, Rejection))
    counts = collections.Counter(filter(None, map(value_of, usable)))
    stream.seek(0)
    return counts


def count_queries(source, *, input_format="auto"):
    """How many records a file of spectra or spectrum embeddings has, as a `shards.Window` counts them."""
    with open_input(source) as stream:
        if not holds_embeddings(stream):
            return count_spectra(stream, input_format=input_format)
    with open_spectrum_embeddings(source) as embeddings:
        return len(embeddings)


def wanted_lists(stream, *, group_by=None, input_format="auto"):
    """What `read_candidate_table` asks: which lists the spectra of a rewindable file name.

    All of them for embeddings, and where no spectrum can be used.
    """

    def wanted(key):
        if holds_embeddings(stream):
            if key == "list_id":
                advice = "give the spectra, or a table with query_id"
                raise UsageError(f"spectrum embeddings hold no field {LIST_FIELD}", advice=advice)
            return None
        field = LIST_FIELD if key == "list_id" else group_by
        asked = count_values(
            stream,
            (lambda each: (each.id,)) if field is None else (lambda each: (each.metadata.get(field, ""),)),
            input_format=input_format,
        )
        # a file without a usable spectrum asks for nothing, and is no reason to complain about the table
        return {name for (name,) in asked if name} if asked else None

    return wanted


def holds_embeddings(stream):
    """Whether a stream with `peek`, at its start, is HDF5 and so no file of spectra."""
    return stream.peek(len(_HDF5_SIGNATURE))[: len(_HDF5_SIGNATURE)] == _HDF5_SIGNATURE
