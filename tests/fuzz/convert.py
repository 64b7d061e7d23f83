"""The files of MassSpecGym, as sb-convert reads them."""

from collections.abc import Sequence
from pathlib import Path

from fuzz.cases import Format
from fuzz.texts import TEXT, modules_of

_COLUMNS = (
    "identifier\tmzs\tintensities\tsmiles\tinchikey\tformula\tprecursor_formula\tparent_mass\tprecursor_mz\tadduct\t"
    "instrument_type\tcollision_energy\tfold\tsimulation_challenge\n"
)
_ROW = (
    "{id}\t65.0386,110.06\t0.25,1.0\t{smiles}\tRZVAJINKPMORJF\tC8H9NO2\tC8H10NO2\t151.0633\t152.0706\t[M+H]+\tOrbitrap\t"
    "30.0\t{fold}\tTrue\n"
)
SPECTRA = _COLUMNS + "".join(
    _ROW.format(id=f"MassSpecGymID{number}", smiles=smiles, fold=fold)
    for number, (smiles, fold) in enumerate((("CC(=O)Nc1ccc(O)cc1", "test"), ("OCC", "test"), ("CC(O)C", "train")))
)
LISTS = """{"CC(=O)Nc1ccc(O)cc1": ["CC(=O)Nc1ccc(O)cc1", "COC(=O)c1ccc(N)cc1"], "CCO": ["OCC", "COC"],
"NOT.USED": [], "C\\u0043(O)C": ["CCCO"]}
"""


def make_seeds(folder: Path) -> dict[str, Sequence[tuple[str, ...]]]:
    for name, content in (("spectra", SPECTRA), ("lists", LISTS)):
        (folder / name).write_text(content, encoding="utf-8")
    convert = ("sb-convert", "massspecgym")
    return {
        "spectra": (
            (*convert, "{file}", "{seeds}/lists", "-o", "out"),
            (*convert, "{file}", "-o", "out"),
        ),
        "lists": ((*convert, "{seeds}/spectra", "{file}", "-o", "out"),),
    }


FORMAT = Format((*modules_of("convert"), "specbridge_tools.conversion.massspecgym"), make_seeds, TEXT)
