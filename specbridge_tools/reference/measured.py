"""As which ions molecules were measured: how much a search with reference spectra can know of a query."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.reference.evidence import KINDS
from specbridge_tools.reference.file import Contents, read_references
from specbridge_tools.reference.peaks import UNITS
from specbridge_tools.reference.spectra import same_ion_width

NEVER = "none"
"""Beside `KINDS`: there is no reference spectrum of the molecule."""


class MeasuredIons:
    """The ions of the molecules of references, whatever their encoders."""

    def __init__(self, paths: Sequence[str | os.PathLike[str]], *, leave_out: str | None = None) -> None:
        """Read reference files, which raises as `Reference.open` does; `leave_out` as `Reference.match` takes it."""
        self._files = [_File(read_references([path])) for path in paths]
        self._leave_out = leave_out

    def kind(self, query_id: str, inchikey14: str, *, polarity: int, precursor_mz: float) -> str:
        """Which kind of evidence there can be for the true molecule of a query: the first of `KINDS`, or `NEVER`.

        Args:
            query_id: The accession that does not count with `accession`.
            inchikey14: Of the molecule.
            polarity: Of the query, 0 where unknown.
            precursor_mz: Of the query.
        """
        if self._leave_out in ("molecule", "relatives"):
            return NEVER
        without = query_id if self._leave_out == "accession" else None
        ions = np.concatenate([np.zeros((0, 2), np.int64), *(file.ions(inchikey14, without) for file in self._files)])
        if not len(ions):
            return NEVER
        precursor = int(np.rint(precursor_mz * UNITS))
        same = ions[:, 0] * polarity >= 0
        if (np.abs(ions[same, 1] - precursor) <= same_ion_width(precursor)).any():
            return KINDS[0]
        return KINDS[1] if same.any() else KINDS[2]


class _File:
    def __init__(self, contents: Contents) -> None:
        self._spectra, self._texts, molecules, _ = contents
        self._row_of = molecules.row_of
        order = np.argsort(self._spectra.molecule, kind="stable")
        self._of_molecule = np.split(order, np.cumsum(np.bincount(self._spectra.molecule, minlength=len(molecules))))

    def ions(self, inchikey14: str, without: str | None) -> NDArray[np.int64]:
        """(polarity, precursor in units) (n, 2) of the spectra of a molecule, but not of one accession."""
        row = self._row_of.get(inchikey14)
        rows = self._of_molecule[row] if row is not None else np.zeros(0, np.int64)
        if without is not None:
            rows = np.setdiff1d(rows, self._texts.rows_of(without))
        return np.stack([self._spectra.polarity[rows], self._spectra.precursor[rows]], axis=1).astype(np.int64)
