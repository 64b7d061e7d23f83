"""The spectra of hits that come from a table: each query with its own, or with those of its group."""

from specbridge_tools.errors import DataError
from specbridge_tools.hits.rows import Answer
from specbridge_tools.spectra.fields import canonical_key
from specbridge_tools.spectra.reader import count_values, read_spectra
from specbridge_tools.spectra.spectrum import Spectrum

_ADVICE = "give the file that sb-query has read, and --group-by where it had one"


def with_spectra(hits, spectra):
    """Yield the `Answer` of each `Hits`, with the next of the `Spectrum`s that is its query.

    Raises `DataError` where there is none: spectra without hits are passed over, but the order must be that of the
    hits.
    """
    spectra = iter(spectra)
    for one in hits:
        yield Answer(one, (_next_spectrum(spectra, one),) if one.n_rows else ())


def _next_spectrum(spectra, hits):
    for spectrum in spectra:
        if spectrum.id == hits.query_id and (not hits.record or spectrum.record in (0, hits.record)):
            return spectrum
    message = f"query {hits.query_id!r} of the hits is not among the spectra, or not in the order of the hits"
    raise DataError(message, advice=_ADVICE)


def with_groups(hits, stream, field, *, input_format="auto"):
    """Yield the `Answer` of each `Hits`, with all spectra whose metadata `field` is its query's id.

    stream: spectra, a file that can be read twice. Spectra of groups that are not whole yet are kept. Raises
    `DataError` where a group has no spectra.
    """
    key = canonical_key(field)
    sizes = count_values(stream, lambda spectrum: spectrum.metadata.get(key, ""), input_format=input_format)
    usable = (one for one in read_spectra(stream, input_format=input_format) if isinstance(one, Spectrum))
    waiting, passed = {}, {""}
    for one in hits:
        yield Answer(one, _whole_group(usable, key, one.query_id, sizes, waiting, passed) if one.n_rows else ())
        passed.add(one.query_id)
        waiting.pop(one.query_id, None)


def _whole_group(spectra, key, name, sizes, waiting, passed):
    """All spectra of the group `name`; those of other groups, but for the names in `passed`, go to `waiting`."""
    while len(waiting.get(name, ())) < sizes.get(name, 1):
        spectrum = next(spectra, None)
        if spectrum is None:
            message = f"the spectra with {key} {name!r}, a query of the hits, are not to be found"
            raise DataError(message, advice=_ADVICE)
        value = spectrum.metadata.get(key, "")
        if value not in passed:
            waiting.setdefault(value, []).append(spectrum)
    return tuple(waiting[name])
