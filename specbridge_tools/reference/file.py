"""Reading reference files; all of their values are checked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.embeddings.column_values import check_values
from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.hdf5_file import Hdf5File, open_hdf5
from specbridge_tools.reference.layout import (
    ADVICE,
    COLUMNS,
    FORMAT,
    FORMAT_VERSION,
    MOLECULE_TEXTS,
    OF_MOLECULES,
    OF_SPECTRA,
    TEXTS,
    ReferenceSpace,
)
from specbridge_tools.reference.molecules import FINGERPRINT, MoleculeTable
from specbridge_tools.reference.peaks import MOST_UNITS, TOLERANCE
from specbridge_tools.reference.spectra import SpectrumTable
from specbridge_tools.reference.texts import REPEATED, SpectrumTexts, TextBlock
from specbridge_tools.streams import display_name, seekable_input

_BROKEN = "the file is broken: copy it or make it again"
_MOST_DIMENSIONS = 1 << 16
Contents = tuple[SpectrumTable, SpectrumTexts, MoleculeTable, ReferenceSpace]


class ReferenceFile:
    """An open file, checked. Use it in a `with` statement, or `close` it.

    Attributes:
        name: For messages.
        space: Of its encoder.
        attributes: Of the root.
    """

    def __init__(self, path: str | os.PathLike[str], name: str) -> None:
        self.name = name
        self._file = open_hdf5(path, name, expected="a reference", advice=ADVICE)
        try:
            self.attributes = self._file.attributes
            self._check()
            self.space = ReferenceSpace(
                self._file.attribute("encoder", str),
                self._file.attribute("weights_sha256", str),
                self._file.attribute("dimension", int),
            )
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> ReferenceFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def read(self) -> Contents:
        """All that the file holds.

        Raises:
            FormatError: Where a value is none that it can be.
        """
        columns = {name: self._file.datasets[name][:] for name in COLUMNS}
        embedding: NDArray[np.float16] = self._file.datasets["embedding"][:]
        _check_columns(columns, self.name)
        check_values(embedding, "embedding", self.name)
        texts = {name: TextBlock(columns[name], columns[sizes]) for name, sizes in TEXTS.items()}
        names = ("molecule", "precursor", "polarity", "charge", "energy", "mz", "intensity")
        starts = np.concatenate([[0], np.cumsum(columns["n_peaks"], dtype=np.int64)])
        spectra = SpectrumTable(starts=starts, **{name: columns[name] for name in names})
        codes = {name: columns[name].astype(np.int64) for name in REPEATED}
        lists = {name: list(texts[f"{name}_list"]) for name in REPEATED}
        molecules = MoleculeTable(
            inchikey14=columns["inchikey14"].astype(str).tolist(), embedding=embedding,
            starts=np.concatenate([[0], np.cumsum(columns["n_bits"], dtype=np.int64)]),
            bit=columns["bit"].astype(np.int32), count=columns["count"].astype(np.float32),
            **{name: texts[name] for name in MOLECULE_TEXTS},
        )  # fmt: skip
        return spectra, SpectrumTexts(texts["accession"], codes, lists), molecules, self.space

    def _check(self) -> None:
        """Raise `FormatError` unless this is a reference of this version whose datasets fit each other."""
        found, version = self.attributes.get("format"), self.attributes.get("format_version")
        if found != FORMAT:
            what = f"is {found!r}" if found else "is an HDF5 file of another program"
            raise FormatError(f"{what}, expected {FORMAT!r}", where=self.name, advice=ADVICE)
        if version != FORMAT_VERSION:
            message = f"has format version {version}, this release reads {FORMAT_VERSION}"
            raise FormatError(message, where=self.name, advice="make it again with sb-build-reference")
        lengths = {**dict.fromkeys(OF_SPECTRA, "n"), **dict.fromkeys(OF_MOLECULES, "n_molecules")}
        for name, dtype in COLUMNS.items():
            dataset = _dataset(self._file, name, dtype)
            expected = self._file.attribute(lengths[name], int) if name in lengths else len(dataset)
            if dataset.shape != (expected,):
                self._broken(f"dataset {name} has the shape {dataset.shape}, but there are {expected} rows")
        shape = _dataset(self._file, "embedding", "<f2").shape
        m, dimension = self.attributes["n_molecules"], self._file.attribute("dimension", int)
        if shape not in ((m, dimension), (0, dimension)) or dimension > _MOST_DIMENSIONS:
            self._broken(f"dataset embedding has the shape {shape}, but there are {m} molecules")

    def _broken(self, what: str) -> None:
        raise FormatError(what, where=self.name, advice=_BROKEN)


def _dataset(file: Hdf5File, name: str, dtype: str) -> Any:
    dataset = file.datasets.get(name)
    if dataset is None:
        raise FormatError(f"dataset {name} is missing", where=file.name, advice=_BROKEN)
    if dataset.is_text or dataset.dtype != np.dtype(dtype) or not dataset.shape:
        raise FormatError(f"dataset {name} has another type than {dtype}", where=file.name, advice=_BROKEN)
    return dataset


def _check_columns(columns: dict[str, NDArray[Any]], where: str) -> None:
    """Raise `FormatError` unless all values are such as a reference can have."""
    n_molecules = len(columns["inchikey14"])
    most = {"molecule": n_molecules - 1, "precursor": MOST_UNITS, "mz": MOST_UNITS, "bit": FINGERPRINT[1] - 1}
    most |= {name: len(columns[f"{name}_list_size"]) - 1 for name in REPEATED}
    least = {"precursor": 1, "mz": 1, "intensity": 1, "count": 1}
    for name in ("charge", "polarity", "inchikey14"):
        check_values(columns[name], name, where)
    for name, values in columns.items():
        if not values.size or values.dtype.kind not in "iu" or name in ("charge", "polarity"):
            continue
        low, high = least.get(name, 0), most.get(name)
        if values.min() < low or (high is not None and values.max() > high):
            raise FormatError(f"dataset {name} holds what is no value of it", where=where, advice=_BROKEN)
    parts = {
        "n_peaks": ("mz", "intensity"),
        "n_bits": ("bit", "count"),
        **{size: (name,) for name, size in TEXTS.items()},
    }
    for name, of_parts in parts.items():
        total = int(columns[name].sum(dtype=np.int64))
        for part in of_parts:
            if len(columns[part]) != total:
                message = f"dataset {part} has {len(columns[part])} rows, but {name} says {total}"
                raise FormatError(message, where=where, advice=_BROKEN)
    for name, sizes, apart in (("mz", "n_peaks", 2 * TOLERANCE), ("bit", "n_bits", 0)):
        steps = np.diff(columns[name].astype(np.int32, copy=False))
        ends = np.cumsum(columns[sizes], dtype=np.int64)
        within = np.ones(len(steps), bool)
        within[ends[(ends > 0) & (ends < len(columns[name]))] - 1] = False
        if (steps[within] <= apart).any():
            raise FormatError(f"dataset {name} does not ascend as it must", where=where, advice=_BROKEN)


def open_reference_file(source: str | os.PathLike[str]) -> ReferenceFile:
    """Open a path, or stdin for `-`; raises as `Reference.open` does."""
    with seekable_input(source) as path:
        return ReferenceFile(path, display_name(source))


def read_references(paths: Sequence[str | os.PathLike[str]]) -> Contents:
    """Read one file, or several as one: molecules and accessions that several hold count as the first has them.

    Raises:
        MismatchError: Where they belong to different encoders.
    """
    if not paths:
        raise DataError("there is no reference", advice="name one")
    contents = []
    for path in paths:
        with open_reference_file(path) as file:
            contents.append((file.read(), file.name))
    (first, first_name), *others = contents
    for other, name in others:
        first[3].require_same(other[3], first_name, name)
    if not others:
        return first
    from specbridge_tools.reference.joined import joined

    return joined([each for each, _ in contents])
