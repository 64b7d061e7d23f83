"""Structures: one standard form for every spelling, fingerprints, scaffolds.

Only this module, `molecules.smiles_graph` and `molecules.drawing` import rdkit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors
from rdkit.Chem.MolStandardize import rdMolStandardize

from specbridge_tools.constants import ELECTRON_MASS
from specbridge_tools.errors import DataError
from specbridge_tools.molecules import reasons
from specbridge_tools.molecules.molecule import StandardForm
from specbridge_tools.molecules.raw import MAX_TEXT
from specbridge_tools.molecules.spelling import has_stereo, is_plain
from specbridge_tools.records import NO_STRUCTURE

if TYPE_CHECKING:
    from scipy import sparse

MAX_ATOMS = 1000  # beside hydrogen; the standard InChI ends at 1,023
MAX_RINGS = 300  # of a thousand rings that all share atoms, finding the smallest takes seconds
_MANY_RINGS = 2 * MAX_RINGS  # characters: whatever spells more rings than the limit is longer

_HAS_CARBON = re.compile(r"C(?![a-z])")  # at the start of a Hill formula
_AROMATIC_ANION = Chem.MolFromSmarts("[#6;a;-]")
_ALKALI_METALS = frozenset((3, 11, 19, 37, 55))
_Options = TypeVar("_Options")


def configured(options: _Options, **values: bool | float) -> _Options:
    """The options object with these attributes set, which the stubs of rdkit do not know to be values."""
    for name, value in values.items():
        setattr(options, name, value)
    return options


AS_WRITTEN = configured(Chem.SmilesParserParams(), sanitize=False, removeHs=False)


def standardise(text: str, *, kind: str = "smiles", fingerprint: tuple[int, int] | None = None) -> StandardForm:
    """The standard form of a structure.

    Salts are split and the largest organic fragment is kept; what protons can neutralise is neutralised (a quaternary
    ammonium keeps its charge); stereo, isotopes and atom numbers are dropped, but `isomeric_smiles` keeps stereo and
    isotopes. The SMILES is a fixed point: its standard form is itself; key, formula and mass are read from it
    alone. Tautomers stay apart, except that those which differ by mobile hydrogens share the InChIKey block.

    Args:
        text: The structure.
        kind: `smiles`, `inchi` or `mol` (a molfile block).
        fingerprint: (radius, bits) of the Morgan counts that come with the form, those of `morgan_counts`.

    Raises:
        DataError: There is none; the message is one of `reasons`.
    """
    with rdBase.BlockLogs():
        try:
            molecule, smiles, isomeric_smiles = _fixed_point(text, kind)
            form = _form(molecule, smiles, isomeric_smiles)
        except (RuntimeError, ValueError) as error:
            # rdkit's own invariants and sanitisation
            raise DataError(reasons.UNREADABLE) from error
    if fingerprint is None:
        return form
    radius, bits = fingerprint
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)
    return form._replace(counts=_counts(molecule, generator))


def _fixed_point(text: str, kind: str) -> tuple[Chem.Mol, str, str]:
    """The molecule, its SMILES, which is its own standard form, and its isomeric SMILES."""
    if kind != "mol":
        text = text.strip()
    molecule = _parse(text, kind)
    isomeric_smiles = None
    seen: list[str] = []
    while True:
        if kind != "smiles" or not is_plain(text):
            molecule = _parent(molecule)
            if isomeric_smiles is None and (kind != "smiles" or has_stereo(text)):
                isomeric_smiles = Chem.MolToSmiles(molecule)
        smiles = Chem.MolToSmiles(molecule, isomericSmiles=False)
        if smiles == text:
            return molecule, smiles, isomeric_smiles or smiles
        if smiles in seen:
            # spellings that alternate: none is more canonical than the others, the first in the alphabet counts
            smiles = min(seen[seen.index(smiles) :])
            return _parse_again(smiles), smiles, isomeric_smiles or smiles
        seen.append(smiles)
        text, kind = smiles, "smiles"
        molecule = _parse_again(text)


def _parse_again(smiles: str) -> Chem.Mol:
    """The molecule of a SMILES that rdkit wrote: where it cannot read that, the input was none the worse."""
    try:
        return _parse(smiles, "smiles")
    except (DataError, RuntimeError, ValueError) as error:
        raise DataError(reasons.NOT_NEUTRAL) from error


def parse_smiles(smiles: str) -> Chem.Mol:
    """The molecule of a SMILES; raises `DataError` where it cannot be read, or is too large."""
    return _parse(smiles, "smiles")


def _parse(text: str, kind: str) -> Chem.Mol:
    if not text.strip():
        raise DataError(NO_STRUCTURE)
    molecule: Chem.Mol | None
    if kind == "mol":
        _check_rings(text, kind)
        molecule = Chem.MolFromMolBlock(text)
    else:
        if len(text) > MAX_TEXT:
            raise DataError(reasons.TOO_LARGE)
        structure, _, extension = text.partition(" ")
        if not text.isprintable() or not text.isascii() or (extension and not extension.startswith("|")):
            raise DataError(reasons.UNREADABLE)
        _check_rings(structure, kind)
        molecule = Chem.MolFromInchi(structure) if kind == "inchi" else _from_smiles(structure)
    if molecule is None:
        raise DataError(reasons.UNREADABLE)
    if molecule.GetNumAtoms() == 0:
        raise DataError(NO_STRUCTURE)
    if molecule.GetNumHeavyAtoms() > MAX_ATOMS:
        raise DataError(reasons.TOO_LARGE)
    return molecule


def _check_rings(text: str, kind: str) -> None:
    """Raise `DataError` for a structure of more than `MAX_RINGS` rings, before any of them is looked for."""
    if len(text) <= _MANY_RINGS:
        return
    molecule: Chem.Mol | None
    if kind == "mol":
        molecule = Chem.MolFromMolBlock(text, sanitize=False, removeHs=False)
    elif kind == "inchi":
        molecule = Chem.MolFromInchi(text, sanitize=False, removeHs=False)
    else:
        molecule = Chem.MolFromSmiles(text, AS_WRITTEN)
    if molecule is None:
        return
    n_rings = molecule.GetNumBonds() - molecule.GetNumAtoms() + len(Chem.GetMolFrags(molecule))
    if n_rings > MAX_RINGS:
        raise DataError(reasons.TOO_LARGE)


def _from_smiles(smiles: str) -> Chem.Mol | None:
    if "[H" in smiles or not is_plain(smiles):
        return Chem.MolFromSmiles(smiles)
    # no hydrogens to fold in, no stereo to perceive: this saves a third of the time and changes nothing that we use
    molecule = Chem.MolFromSmiles(smiles, AS_WRITTEN)
    if molecule is not None:
        try:
            Chem.SanitizeMol(molecule)
        except Chem.MolSanitizeException:
            return None
    return molecule


def _parent(molecule: Chem.Mol) -> Chem.Mol:
    """The largest organic fragment, neutralised."""
    molecule = _without_alkali_bonds(molecule)
    fragments = Chem.GetMolFrags(molecule, asMols=True)
    if len(fragments) > 1:
        molecule = max(fragments, key=_size)
    for atom in molecule.GetAtoms():
        atom.SetAtomMapNum(0)
    neutral = rdMolStandardize.Uncharger().uncharge(molecule)
    if molecule.HasSubstructMatch(_AROMATIC_ANION) and Chem.MolFromSmiles(Chem.MolToSmiles(neutral)) is None:
        # with a proton the ring of cyclopentadienide is aromatic no more; spelling must not choose which diene it is
        diene = Chem.RWMol(Chem.MolFromSmiles(Chem.MolToSmiles(molecule)))
        Chem.Kekulize(diene, clearAromaticFlags=True)
        return rdMolStandardize.Uncharger().uncharge(diene.GetMol())
    return neutral


def _size(fragment: Chem.Mol) -> tuple[bool, int, float, str]:
    formula = rdMolDescriptors.CalcMolFormula(fragment)
    return (
        bool(_HAS_CARBON.match(formula)),
        fragment.GetNumHeavyAtoms(),
        round(rdMolDescriptors.CalcExactMolWt(fragment), 3),
        Chem.MolToSmiles(fragment, isomericSmiles=False),
    )


def _without_alkali_bonds(molecule: Chem.Mol) -> Chem.Mol:
    """`O[Na]` as `[O-].[Na+]`: the salt that was meant."""
    bonded = [
        atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetAtomicNum() in _ALKALI_METALS and atom.GetDegree()
    ]
    if not bonded:
        return molecule
    editable = Chem.RWMol(molecule)
    for metal in bonded:
        for partner in [atom.GetIdx() for atom in editable.GetAtomWithIdx(metal).GetNeighbors()]:
            editable.RemoveBond(metal, partner)
            for index, change in ((metal, 1), (partner, -1)):
                atom = editable.GetAtomWithIdx(index)
                atom.SetFormalCharge(atom.GetFormalCharge() + change)
    Chem.SanitizeMol(editable)
    return editable.GetMol()


def _form(molecule: Chem.Mol, smiles: str, isomeric_smiles: str) -> StandardForm:
    formula = rdMolDescriptors.CalcMolFormula(molecule)
    if "*" in formula:
        raise DataError(reasons.WILDCARD)
    if not _HAS_CARBON.match(formula):
        raise DataError(reasons.NO_ORGANIC_FRAGMENT)
    # without its stereo layer, which the first block of the key never sees
    inchikey = Chem.MolToInchiKey(molecule, options="/SNon")
    if not inchikey:
        raise DataError(reasons.NO_INCHIKEY)
    exact_mass = rdMolDescriptors.CalcExactMolWt(molecule)
    if "+" in formula or "-" in formula:
        # rdkit subtracts the electrons of a charge; our mass is that of the atoms
        exact_mass += Chem.GetFormalCharge(molecule) * ELECTRON_MASS
    return StandardForm(smiles, inchikey[:14], formula, exact_mass, isomeric_smiles)


def inchi_and_key(smiles: str) -> tuple[str, str]:
    """The standard InChI and the whole InChIKey of a SMILES, '' for none; raises `DataError` as `parse_smiles`."""
    with rdBase.BlockLogs():
        molecule = _parse(smiles, "smiles")
        inchi = Chem.MolToInchi(molecule)
        return inchi, Chem.InchiToInchiKey(inchi) if inchi else ""


def morgan_counts(smiles: Iterable[str], *, radius: int, bits: int, counts: bool) -> sparse.csr_matrix:
    """Folded Morgan fingerprints (Rogers and Hahn, J. Chem. Inf. Model. 50, 742, 2010) of n SMILES.

    Returns:
        As `counts_matrix` makes it: how often each environment up to `radius` occurs.

    Raises:
        DataError: A SMILES cannot be read.
    """
    # late, so that the workers who standardise start in half the time
    from specbridge_tools.molecules.fingerprints import counts_matrix

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)
    with rdBase.BlockLogs():
        rows = [_counts(_parse(text, "smiles"), generator) for text in smiles]
    return counts_matrix(rows, bits=bits, counts=counts)


def _counts(molecule: Chem.Mol, generator: rdFingerprintGenerator.FingerprintGenerator64) -> dict[int, int]:
    return generator.GetCountFingerprint(molecule).GetNonzeroElements()


def scaffold(smiles: str) -> str:
    """Bemis-Murcko scaffold of a SMILES as canonical SMILES, '' for a molecule without a ring."""
    # here, as it takes a third of the time of all else that is imported, and only sb-split asks
    from rdkit.Chem.Scaffolds import MurckoScaffold

    with rdBase.BlockLogs():
        framework = MurckoScaffold.GetScaffoldForMol(_parse(smiles, "smiles"))
        return Chem.MolToSmiles(framework, isomericSmiles=False)
