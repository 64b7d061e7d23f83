"""annotate_peaks.py SPECTRA.mgf: the ion formulas of peaks that can be nothing else. It knows nothing of the package.

Of each molecule and polarity the first record of an [M+H]+, [M]+ or [M-H]- is taken, where at least two of its peaks
can be annotated: the highest three of these. A peak 0.5 Da or more below the precursor is annotated where, of all ions
made of any part of the molecule's formula with as many hydrogens as the precursor has at most, exactly one weighs what
it weighs, within 5 ppm, and the valences of that one can hold its hydrogens.

Masses of the most abundant isotopes: NIST, Atomic Weights and Isotopic Compositions, version 4.1 (AME2012); electron:
CODATA 2014.
"""

import itertools
import re
import sys

import numpy as np

ELECTRON = 0.000548579909070
MASSES = {
    "C": 12.0,
    "H": 1.00782503223,
    "N": 14.00307400443,
    "O": 15.99491461957,
    "F": 18.99840316273,
    "P": 30.97376199842,
    "S": 31.9720711744,
    "Cl": 34.968852682,
    "Br": 78.9183376,
}
VALENCES = {"C": 2, "N": 1, "P": 1, "F": -1, "Cl": -1, "Br": -1}  # hydrogens that an atom makes room for
ADDUCTS = {"[M+H]+": (1, 1), "[M]+": (0, 1), "[M-H]-": (-1, -1)}  # hydrogens, charge
PPM = 5
PEAKS = 3


def records(path):
    """(fields, peaks) of each record of an MGF."""
    with open(path, encoding="utf-8") as file:
        blocks = file.read().split("BEGIN IONS\n")[1:]
    for block in blocks:
        lines = block.partition("END IONS")[0].splitlines()
        fields = dict(line.split("=", 1) for line in lines if "=" in line)
        yield fields, [tuple(line.split()[:2]) for line in lines if line and "=" not in line]


def ions(formula, adduct):
    """Atom counts (n, elements) of all ions of parts of the formula, and their m/z (n,)."""
    atoms = {symbol: int(count or 1) for symbol, count in re.findall(r"([A-Z][a-z]?)(\d*)", formula)}
    gained, charge = ADDUCTS[adduct]
    atoms["H"] = atoms.get("H", 0) + gained
    ranges = [np.arange(atoms.get(symbol, 0) + 1) for symbol in MASSES]
    counts = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, len(MASSES))
    return counts, counts @ np.array(list(MASSES.values())) - charge * ELECTRON


def annotated(fields, peaks):
    """(m/z, intensity, ion formula) of the highest peaks that can be annotated."""
    counts, ion_mz = ions(fields["FORMULA"], fields["ADDUCT"])
    room = counts @ np.array([VALENCES.get(symbol, 0) for symbol in MASSES]) + 3
    hydrogens = counts[:, list(MASSES).index("H")]
    sign = fields["ADDUCT"][-1]
    for mz, intensity in sorted(peaks, key=lambda peak: -float(peak[1])):
        near = np.flatnonzero(np.abs(ion_mz - float(mz)) <= PPM * 1e-6 * float(mz))
        if float(mz) <= float(fields["PEPMASS"]) - 0.5 and len(near) == 1 and hydrogens[near[0]] <= room[near[0]]:
            yield mz, intensity, written(counts[near[0]]) + sign


def written(counts):
    return "".join(
        symbol + (str(count) if count > 1 else "") for symbol, count in zip(MASSES, counts, strict=True) if count
    )


def table(path):
    """The annotation as the text of a table."""
    lines, seen = ["record\tmz\tintensity\tion_formula"], set()
    for fields, peaks in records(path):
        kind = (fields["INCHIKEY"][:14], fields["IONMODE"])
        if fields["ADDUCT"] not in ADDUCTS or kind in seen:
            continue
        seen.add(kind)
        rows = list(itertools.islice(annotated(fields, peaks), PEAKS))
        if len(rows) > 1:
            lines += ["\t".join((fields["TITLE"], *row)) for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table(sys.argv[1]))
