"""The files of the page that the tests look at: six queries, one of them a group, one unanswered, one hostile."""

import json
from pathlib import Path

COLUMNS = (
    "query_id", "rank", "score", "explained_intensity", "reference_similarity", "reference_id", "reference_kind",
    "reference_licence", "analog_score", "analog_id", "probability", "inchikey14", "smiles", "formula", "exact_mass",
    "adduct", "mass_error_ppm", "id", "name", "n_candidates", "reason", "all_ids", "record",
)  # fmt: skip
# name: InChIKey block, SMILES, formula, mass (Da), ids
MOLECULES = {
    "paracetamol": ("RZVAJINKPMORJF", "CC(=O)Nc1ccc(O)cc1", "C8H9NO2", 151.063329, "pubchem:1983;CHEBI:46195"),
    "methyl anthranilate": ("VAMXMNNIEUEQDV", "COC(=O)c1ccccc1N", "C8H9NO2", 151.063329, "M2"),
    "sulfoximine": ("SXTAYKAGBXMACB", "CS(=N)(=O)CCC(N)C(=O)O", "C5H12N2O3S", 180.056863, "M3"),
    "anisamide": ("FEPBITJSIHRMRT", "COc1ccc(C(N)=O)cc1", "C8H9NO2", 151.063329, "HMDB0000001"),
    "salicylic acid": ("YGSDEFSMJLZEOE", "O=C(O)c1ccccc1O", "C7H6O3", 138.031694, "wikidata:Q193572"),
    "caffeine": ("RYYVLZVUVIJVGH", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "C8H10N4O2", 194.080376, "pubchem:2519"),
}
HOSTILE_ID = "\"'><script>window.hacked=1</script>"
HOSTILE_NAME = '<img src=x onerror="window.hacked=1">\'</script><script>window.hacked=1</script>'
HOSTILE_SMILES = "C');window.hacked=1;//</div>"
HOSTILE_IDS = 'javascript:window.hacked=1;"onmouseover=window.hacked=1'
# paracetamol, measured twice, with one peak of sulfoximine and one of nothing; a negative one; caffeine and others
SPECTRA = [
    ("a", "grouped", 152.0706, "[M+H]+",
     ((43.0178, 6), (63.9977, 9), (65.0386, 10), (93.0335, 12), (110.0600, 100), (152.0706, 40))),
    ("b", "grouped", 152.0706, "[M+H]+",
     ((65.0386, 80), (77.7777, 5), (82.0651, 20), (92.0495, 14), (93.0335, 60), (110.0601, 90))),
    ("c", "salicylate", 137.0244, "[M-H]-", ((65.0397, 8), (93.0346, 100), (137.0244, 30))),
    ("d", "unanswered", 500.25, "[M+H]+", ((100.0, 1),)),
    ("e", HOSTILE_ID, 152.0706, "[M+H]+", ((65.0386, 10), (110.0600, 100))),
    ("f", "caffeine", 195.0877, "[M+H]+", ((110.0713, 30), (138.0662, 100), (195.0877, 60))),
    ("g", "weak", 152.0706, "[M+H]+", ((120.0444, 100), (92.0495, 20))),
]  # fmt: skip
# query: (molecule, probability, reference similarity, analog score)
CANDIDATES = {
    "grouped": [
        ("paracetamol", 0.61, 0.97, None), ("sulfoximine", 0.12, None, 0.31), ("anisamide", 0.02, None, None),
    ],
    "salicylate": [("salicylic acid", 0.88, None, None)],
    "unanswered": [],
    HOSTILE_ID: [("paracetamol", 0.35, None, None)],
    "caffeine": [("caffeine", 0.42, None, 0.25)],
    "weak": [("methyl anthranilate", 0.07, None, None), ("paracetamol", 0.03, None, None)],
}  # fmt: skip
STANDARD = ("standard", 152.0706, "[M+H]+", ((65.0386, 25), (93.0335, 20), (110.0600, 100), (134.0600, 15)))


def write_files(folder: Path) -> None:
    """hits.jsonl, spectra.mgf (grouped by `feature`) and standards.mgf."""
    adducts = {feature: adduct for _, feature, _, adduct, _ in SPECTRA}
    rows = [row for query, found in CANDIDATES.items() for row in _rows(query, adducts[query], found)]
    lines = [
        json.dumps(dict(zip(COLUMNS, (None if value == "" else value for value in row), strict=True))) for row in rows
    ]
    (folder / "hits.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "spectra.mgf").write_text("".join(map(_record, SPECTRA)))
    name, precursor, adduct, peaks = STANDARD
    text = _record((name, "-", precursor, adduct, peaks))
    smiles = MOLECULES["paracetamol"][1]
    (folder / "standards.mgf").write_text(text.replace("FEATURE=-", f"NAME=paracetamol\nSMILES={smiles}"))


def _rows(query, adduct, found):
    if not found:
        yield (query, *[""] * 18, 0, "no molecule in the window", "", "")
    for rank, (name, probability, similarity, analog) in enumerate(found, start=1):
        key, smiles, formula, mass, ids = MOLECULES[name]
        evidence = (similarity, "standard", "same_ion", "CC0") if similarity else ("",) * 4
        related = (analog or "", "standard" if analog else "")
        if query == HOSTILE_ID:
            name, smiles, ids = HOSTILE_NAME, HOSTILE_SMILES, HOSTILE_IDS
        shown = (probability, key, smiles, formula, mass, adduct, 0.4, ids.split(";")[0], name, 9, "", ids, "")
        yield (query, rank, 1.5 - rank, 0.8, *evidence, *related, *shown)


def _record(spectrum):
    name, feature, precursor, adduct, peaks = spectrum
    lines = "\n".join(f"{mz} {height}" for mz, height in peaks)
    return f"BEGIN IONS\nTITLE={name}\nPEPMASS={precursor}\nADDUCT={adduct}\nFEATURE={feature}\n{lines}\nEND IONS\n\n"
