"""What reference spectra say of the candidates of a query, in words and as a picture."""

from __future__ import annotations

import dataclasses

from specbridge_tools.hits.hits import Hits
from specbridge_tools.hits.level import optional_numbers
from specbridge_tools.reference.accessions import Accessions, ShownSpectrum
from specbridge_tools.reference.peaks import TOLERANCE, UNITS
from specbridge_tools.report.markup import Markup, element, image, joined
from specbridge_tools.report.mirror_picture import HEIGHT, WIDTH, draw_mirror
from specbridge_tools.spectra.spectrum import Spectrum

MATCH = 0.7
"""Similarity from which the same ion is called a library match."""
_KINDS = {
    "same_ion": "the same ion",
    "same_polarity": "another ion of the same polarity",
    "other_polarity": "an ion of the other polarity",
}


@dataclasses.dataclass(frozen=True, eq=False)
class ReferenceEvidence:
    """What reference spectra say of one candidate.

    Attributes:
        words: One line.
        label: The same in few words, for the table of all queries.
        spectrum: The spectrum that is named, None where it is not at hand.
        is_analog: Whether it is that of a related molecule.
    """

    words: str
    label: str
    spectrum: ShownSpectrum | None
    is_analog: bool


def reference_evidence(hits: Hits, accessions: Accessions | None) -> ReferenceEvidence | None:
    """What speaks for the first of the candidates, None for nothing."""
    if accession := hits.value("reference_id"):
        shown = None if accessions is None else accessions.find(accession)
        return _match(hits, shown)
    if analog := hits.value("analog_id"):
        shown = None if accessions is None else accessions.find(analog)
        name = analog if shown is None else f"{shown.molecule} ({analog})"
        similarity = f"{optional_numbers(hits, 'analog_score')[0]:.2f}"
        words = f"analog: {name}, similarity {similarity} (of the spectra times of the molecules)"
        return ReferenceEvidence(words, f"analog {similarity}", shown, is_analog=True)
    return None


def reference_section(hits: Hits, accessions: Accessions | None) -> Markup:
    """A line on the first candidate's reference spectrum or analog, and a picture where the spectra are there."""
    evidence = reference_evidence(hits, accessions)
    if evidence is None:
        return joined()
    mirrored = joined() if evidence.is_analog else _mirrored(hits.spectra, evidence.spectrum)
    return joined(element("p", evidence.words), mirrored)


def _match(hits: Hits, shown: ShownSpectrum | None) -> ReferenceEvidence:
    kind, similarity = hits.value("reference_kind"), float(optional_numbers(hits, "reference_similarity")[0])
    is_match = kind == "same_ion" and similarity >= MATCH
    words = "library match" if is_match else f"reference spectrum of {_KINDS.get(kind, 'the molecule')}"
    about = hits.value("reference_licence") if shown is None else shown.about
    whole = f"{words}: {hits.value('reference_id')}, similarity {similarity:.2f}" + (f" ({about})" if about else "")
    label = f"{'library match' if is_match else 'reference'} {similarity:.2f}"
    return ReferenceEvidence(whole, label, shown, is_analog=False)


def _mirrored(spectra: tuple[Spectrum, ...], shown: ShownSpectrum | None) -> Markup:
    """The spectrum of a query beside the reference spectrum; of several the one whose precursor is nearest."""
    if shown is None or not spectra or not len(shown.mz):
        return joined()
    spectrum = min(spectra, key=lambda each: abs(each.precursor_mz - shown.precursor_mz))
    query = list(zip(spectrum.mz.tolist(), spectrum.intensity.tolist(), strict=True))
    reference = list(zip(shown.mz.tolist(), shown.intensity.tolist(), strict=True))
    svg = draw_mirror(query, reference, tolerance=TOLERANCE / UNITS, precursor_mz=spectrum.precursor_mz)
    text = f"{spectrum.id} against reference {shown.accession}; peaks of both in blue"
    return joined(element("p", image(svg, text=text, width=WIDTH, height=HEIGHT)), element("p", f"{text}."))
