"""mzSpecLib text: attribute sets for all and by name, groups with units, several analytes, a cluster."""

import random

from fuzz.cases import Format
from fuzz.texts import TEXT, spectra

PLAIN = """<mzSpecLib>
MS:1003186|library format version=1.0
<AttributeSet Spectrum=all>
MS:1000511|ms level=2
MS:1000465|scan polarity=MS:1000130|positive scan
[1]MS:1000045|collision energy=30
[1]UO:0000000|unit=UO:0000266|electronvolt
<AttributeSet Analyte=PROTONATED>
MS:1002813|adduct ion formula=[M+H]+
MS:1000041|charge state=1
<Spectrum=7>
MS:1003061|library spectrum name=paracetamol
[1]MS:1000894|retention time=4.6
[1]UO:0000000|unit=UO:0000031|minute
MS:1003208|experimental precursor monoisotopic m/z=152.0706
MS:1003059|number of peaks=2
<Analyte=1>
[1]MS:1003212|library attribute set name=PROTONATED
MS:1000866|molecular formula=C8H9NO2
MS:1000868|SMILES formula=CC(=O)Nc1ccc(O)cc1
<Interpretation=1>
MS:1003288|number of unassigned peaks=1
<Peaks>
65.0386\t10\t?
110.0600\t100\tf{C6H8NO}/-0.0001

<Spectrum=8>
MS:1003061|library spectrum name=two analytes
MS:1000744|selected ion m/z=195.0877
<Analyte=1>
MS:1000868|SMILES formula=CN1C=NC2=C1C(=O)N(C)C(=O)N2C
<Analyte=2>
MS:1002894|InChIKey=RYYVLZVUVIJVGH-UHFFFAOYSA-N
<Peaks>
138.0662 100

<Cluster=1>
MS:1003267|cluster member spectrum keys=7,8
"""
_LINES = (
    b"<Spectrum=9>",
    b"<Spectrum>",
    b"<Analyte=1>",
    b"<AttributeSet Spectrum=all>",
    b"<AttributeSet Analyte=PROTONATED>",
    b"<AttributeSet>",
    b"<Peaks>",
    b"<mzSpecLib 1.0>",
    b"<Unknown=1>",
    b"MS:1003212|library attribute set name=all",
    b"MS:1003072|spectrum origin type=MS:1003192|decoy spectrum",
    b"MS:1000511|ms level=1",
    b"MS:1003059|number of peaks=" + b"9" * 30,
    b"[1]MS:1000894|retention time=1e999",
    b"[99999999999]UO:0000000|unit=",
    b"MS:1|=",
    b"|=" * 5000,
    b"<" * 5000,
    b"[1]" * 5000,
)


def insert_section(content: bytes, rng: random.Random) -> bytes:
    """Sections and attributes where they have no place."""
    lines = content.splitlines(keepends=True)
    for _ in range(rng.choice((1, 1, 2, 5))):
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(_LINES) + b"\n")
    return b"".join(lines)


_TEXT = spectra(start=rb"^<Spectrum=", holds_molecules=True, plain=PLAIN)
FORMAT = Format(_TEXT.modules, _TEXT.make_seeds, (*TEXT, insert_section, insert_section), _TEXT.lost)
