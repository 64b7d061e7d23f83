"""Reference spectra, opened: what a query's spectra are compared with."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.encoders.base import MoleculeEncoder
from specbridge_tools.errors import UsageError
from specbridge_tools.molecules.identity import structure, structure_key
from specbridge_tools.reference.evidence import QueryMatches
from specbridge_tools.reference.molecules import Featuriser, MoleculeFeatures, MoleculeTable, find_encoder, tanimoto
from specbridge_tools.reference.peaks import clean
from specbridge_tools.reference.spectra import SpectrumTable
from specbridge_tools.reference.texts import SpectrumTexts, text_of
from specbridge_tools.spectra.spectrum import Spectrum

LEAVE_OUT = ("accession", "molecule", "relatives", "contributor")
"""What a query's own reference spectra may be left out by: the accession is the query's id, the molecule its own, its
relatives all molecules that are as similar to it as `SIMILAR`, itself among them; the last are those of the
query's molecule that its own contributor measured."""

SIMILAR = 0.6
"""Tanimoto coefficient from which on molecules are relatives, as in the clusters of `evaluation.splits`."""
_REMEMBERED = 20_000  # vectors of reference molecules


class Reference:
    """Reference spectra of one molecular encoder, of one file or several.

    Attributes:
        spectra: How they are compared.
        texts: What they are called.
        molecules: Whose they are.
        featuriser: Of the molecular encoder.
    """

    def __init__(
        self, spectra: SpectrumTable, texts: SpectrumTexts, molecules: MoleculeTable, encoder: MoleculeEncoder
    ) -> None:
        """Use `Reference.open`."""
        # with compiled loops, which take long to import: a process that compares nothing does without
        from specbridge_tools.reference.peak_index import PeakIndex

        self.spectra, self.texts, self.molecules = spectra, texts, molecules
        self.featuriser = Featuriser(encoder)
        self._index = PeakIndex(spectra, len(molecules))
        self._vectors: dict[int, NDArray[np.float32]] = {}  # of molecules that were analogs of late

    @classmethod
    def open(cls, *paths: str | os.PathLike[str], encoder: MoleculeEncoder | None = None) -> Reference:
        """Open reference files together; of spectra with one accession that of the first file counts.

        Args:
            paths: One or more.
            encoder: The molecular encoder that they belong to; found by its name where None.

        Raises:
            DataError: Where a file cannot be read.
            FormatError: Where it is no reference, or broken.
            MismatchError: Where they belong to different encoders, or to another than `encoder`.
        """
        from specbridge_tools.reference.file import read_references

        spectra, texts, molecules, space = read_references(paths)
        if encoder is None:
            encoder = find_encoder(space.encoder, space.weights_sha256, str(paths[0]))
        space.require(encoder, str(paths[0]))
        return cls(spectra, texts, molecules, encoder)

    def __len__(self) -> int:
        """Number of spectra."""
        return len(self.spectra)

    def match(self, spectra: Sequence[Spectrum], *, leave_out: str | None = None) -> QueryMatches:
        """Compare the spectra of one query, all of one compound, with the reference.

        Args:
            spectra: The best of them counts, kind by kind.
            leave_out: One of `LEAVE_OUT`: reference spectra with the id of one of these spectra do not count, or all of
                the molecules that the metadata of these spectra name, or also all of similar molecules, or of the
                former those of the spectra's contributors. None: all count.
        """
        left_out = None if leave_out is None else self._left_out(spectra, leave_out)
        return QueryMatches(self, self._index.search([clean(spectrum) for spectrum in spectra], left_out))

    def has_own(self, spectra: Sequence[Spectrum], *, leave_out: str | None = None) -> bool:
        """Whether spectra of the molecule that the metadata of these spectra name are there, and count."""
        row = self.molecules.row_of.get(structure_key(spectra[0]) or "", -1)
        own: NDArray[np.bool_] = self.spectra.molecule == row
        return bool((own if leave_out is None else own & ~self._left_out(spectra, leave_out)).any())

    def features(self, smiles: Sequence[str]) -> MoleculeFeatures:
        """What candidates are compared by: canonical SMILES, remembered; `DataError` where one cannot be read."""
        return self.featuriser.of_smiles(smiles)

    def analog_features(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(bits (a, bits), vectors (a, dimension)) of at least one reference molecule, by their rows."""
        numbers = rows.tolist()
        new = [row for row in numbers if row not in self._vectors]
        if len(self._vectors) + len(new) > _REMEMBERED:
            new, self._vectors = numbers, {}
        if new:
            self._vectors.update(zip(new, self._vectors_of(np.array(new)), strict=True))
        bits = self.molecules.counts[rows].toarray()
        return (bits > 0).astype(np.float32), np.stack([self._vectors[row] for row in numbers])

    def _vectors_of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        molecules = self.molecules
        if len(molecules.embedding):
            return molecules.embedding[rows].astype(np.float32)
        return self.featuriser.vectors(molecules.counts[rows], [molecules.smiles[row] for row in rows.tolist()])

    def _left_out(self, spectra: Sequence[Spectrum], by: str) -> NDArray[np.bool_]:
        """(n,) which reference spectra do not count for these spectra."""
        left_out = np.zeros(len(self.spectra), bool)
        if by not in LEAVE_OUT:
            raise UsageError(f"nothing is left out by {by!r}", advice=f"one of {', '.join(LEAVE_OUT)}")
        for spectrum in spectra:
            if by in ("accession", "contributor"):
                left_out[self.texts.rows_of(spectrum.id)] = True
            if by == "relatives":
                left_out |= self._are_relatives(spectrum)[self.spectra.molecule]
            elif by != "accession":
                own = self.spectra.molecule == self.molecules.row_of.get(structure_key(spectrum) or "", -1)
                if by == "contributor":
                    own &= self.texts.have("contributor", text_of(spectrum, "contributor"))
                left_out |= own
        return left_out

    def _are_relatives(self, spectrum: Spectrum) -> NDArray[np.bool_]:
        """(molecules,) whether they are similar to the one that the metadata of the spectrum name, or are that one."""
        are = np.zeros(len(self.molecules), bool)
        # also where the reference has another tautomer of it
        row = self.molecules.row_of.get(structure_key(spectrum) or "")
        if row is not None:
            are[row] = True
        form = structure(spectrum)
        if form is not None:
            are |= tanimoto(self.molecules.bits, self.features([form.smiles]).bits.toarray())[:, 0] >= SIMILAR
        return are
