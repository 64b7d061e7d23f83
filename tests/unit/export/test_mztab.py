"""mzTab-M by the rules of its specification, and as pyteomics reads it."""

import io
import itertools
import re

import pytest
from pyteomics.mztab import MzTab

from specbridge_tools.export.export import export_hits
from specbridge_tools.records import Tally

COLUMNS = (
    "query_id", "rank", "score", "probability", "inchikey14", "smiles", "formula", "exact_mass", "adduct",
    "mass_error_ppm", "id", "name", "reason", "record", "reference_similarity", "reference_kind", "reference_id",
)  # fmt: skip
# the columns of each section, in the order of the specification of mzTab-M 2.0.0; {n} stands for 1 and more
SECTIONS = {
    "SML": ("SMH", "SML_ID SMF_ID_REFS database_identifier chemical_formula smiles inchi chemical_name uri "
            "theoretical_neutral_mass adduct_ions reliability best_id_confidence_measure best_id_confidence_value "
            "abundance_assay[{n}] abundance_study_variable[{n}] abundance_variation_study_variable[{n}]"),
    "SMF": ("SFH", "SMF_ID SME_ID_REFS SME_ID_REF_ambiguity_code adduct_ion isotopomer exp_mass_to_charge charge "
            "retention_time_in_seconds retention_time_in_seconds_start retention_time_in_seconds_end "
            "abundance_assay[{n}]"),
    "SME": ("SEH", "SME_ID evidence_input_id database_identifier chemical_formula smiles inchi chemical_name uri "
            "derivatized_form adduct_ion exp_mass_to_charge charge theoretical_mass_to_charge spectra_ref "
            "identification_method ms_level id_confidence_measure[{n}] rank"),
}  # fmt: skip
NOT_NULL = {
    "SML": "SML_ID",
    "SMF": "SMF_ID exp_mass_to_charge",
    "SME": "SME_ID evidence_input_id exp_mass_to_charge charge theoretical_mass_to_charge spectra_ref "
    "identification_method ms_level rank",
}
# what must stand in the metadata, in the order in which it must stand
MANDATORY = (
    "mzTab-version", "mzTab-ID", "software[1]", "quantification_method", "ms_run[1]-location",
    "ms_run[1]-scan_polarity[1]", "assay[1]", "assay[1]-ms_run_ref", "study_variable[1]",
    "study_variable[1]-assay_refs",
    "study_variable[1]-description", "cv[1]-label", "cv[1]-full_name", "cv[1]-version", "cv[1]-uri", "database[1]",
    "database[1]-prefix", "database[1]-version", "database[1]-uri", "small_molecule-quantification_unit",
    "small_molecule_feature-quantification_unit", "small_molecule-identification_reliability",
    "id_confidence_measure[1]",
)  # fmt: skip
LISTS = (
    "database_identifier",
    "chemical_formula",
    "smiles",
    "inchi",
    "chemical_name",
    "uri",
    "theoretical_neutral_mass",
)
ADDUCT = re.compile(r"\[\d*M([+-][\w\d]+)*\]\d*[+-]")
PARAMETER = re.compile(r"\[[^,]*, ?[^,]*, ?[^,]+, ?[^,]*\]")
PARACETAMOL = {
    "query_id": "a", "rank": 1, "score": 0.9, "probability": 0.4, "inchikey14": "RZVAJINKPMORJF",
    "smiles": "CC(=O)Nc1ccc(O)cc1", "formula": "C8H9NO2", "exact_mass": 151.063329, "adduct": "[M+H]+",
    "mass_error_ppm": 1.5, "id": "M1", "name": "paracetamol", "record": 1,
}  # fmt: skip
ANTHRANILATE = PARACETAMOL | {
    "rank": 2, "score": 0.8, "probability": 0.2, "inchikey14": "VAMXMNNIEUEQDV", "smiles": "COC(=O)c1ccccc1N",
    "id": "M|2", "name": "",
}  # fmt: skip
CATION = {
    "query_id": "cation", "rank": 1, "score": 0.3, "probability": 0.09, "inchikey14": "OEYIOHPDSNJKLS",
    "smiles": "C[N+](C)(C)CCO", "formula": "C5H14NO+", "exact_mass": 104.107539, "adduct": "[M]+",
    "mass_error_ppm": 0.0, "id": "", "name": "line\nbreak\tand tab", "record": 2,
}  # fmt: skip
ROWS = (
    PARACETAMOL,
    ANTHRANILATE,
    *(CATION | {"rank": 1, "smiles": smiles} for smiles in ["C[N+](C)(C)CCO"] * 6),
    PARACETAMOL | {
        "query_id": "library", "record": 4, "probability": 0.3, "adduct": "[M-H]-", "reference_similarity": 0.9,
        "reference_kind": "same_ion", "reference_id": "REF1",
    },
    {"query_id": "empty", "record": 5, "reason": "no molecule in the window"},
)  # fmt: skip
SPECTRUM = "BEGIN IONS\nTITLE={}\nPEPMASS={}\nCHARGE={}\n50 1\nEND IONS\n\n"
SPECTRA = "".join(
    SPECTRUM.format(name, mz, charge)
    for name, mz, charge in (
        ("a", 152.0709, "1+"), ("cation", 104.107, "1+"), ("passed", 99.1, "1+"), ("library", 150.056, "1-"),
        ("empty", 321.5, "2-"),
    )
)  # fmt: skip


def exported(rows=ROWS, spectra=SPECTRA, top=10, columns=COLUMNS):
    lines = ["\t".join(columns)]
    for row in rows:
        values = [str(row.get(name, "")) for name in columns]
        lines.append("\t".join(f'"{value}"' if set(value) & set("\n\t") else value for value in values))
    stream, tally = io.StringIO(), Tally(noun="queries")
    source = None if spectra is None else io.BytesIO(spectra.encode())
    hits = io.BytesIO(("\n".join(lines) + "\n").encode())
    export_hits(hits, stream, output_format="mztab-m", spectra=source, top=top, tally=tally)
    return stream.getvalue(), tally


def sections(text):
    """The cells of each section's rows: {"MTD": ..., "SMH": ..., "SML": ...}."""
    rows = [line.split("\t") for line in text.splitlines()]
    return {key: [row[1:] for row in rows if row[0] == key] for key in dict.fromkeys(row[0] for row in rows)}


def records(text, section):
    parts = sections(text)
    (columns,) = parts[SECTIONS[section][0]]
    return [dict(zip(columns, row, strict=True)) for row in parts[section]]


def test_sections_stand_in_order_with_empty_lines_between():
    text, _ = exported()
    assert [key for key, _ in itertools.groupby(line.split("\t")[0] for line in text.splitlines())] == [
        "MTD", "", "SMH", "SML", "", "SFH", "SMF", "", "SEH", "SME",
    ]  # fmt: skip


def test_mandatory_metadata_in_order():
    text, _ = exported()
    fields = dict(sections(text)["MTD"])
    assert len(fields) == len(sections(text)["MTD"])
    assert [name for name in fields if name in MANDATORY] == list(MANDATORY)
    assert fields["mzTab-version"] == "2.0.0-M"
    assert fields["study_variable[1]"] == "undefined"
    assert fields["ms_run[1]-scan_polarity[2]"] == "[MS, MS:1000129, negative scan, ]"
    for name in ("software[1]", "quantification_method", "database[1]", "id_confidence_measure[1]"):
        assert PARAMETER.fullmatch(fields[name]), fields[name]


@pytest.mark.parametrize("section", SECTIONS)
def test_columns_are_those_of_the_specification_in_its_order(section):
    key, specified = SECTIONS[section]
    (columns,) = sections(exported()[0])[key]
    required = [re.sub(r"\[\d\]$", "[{n}]", name) for name in columns if not name.startswith("opt_")]
    assert [name for name, _ in itertools.groupby(required)] == specified.split()
    optional = columns[len(required) :]
    assert all(re.fullmatch(r"opt_global_[A-Za-z0-9_:\[\]-]+", name) for name in optional)


@pytest.mark.parametrize("section", SECTIONS)
def test_no_cell_is_empty_and_what_must_not_be_null_is_not(section):
    for record in records(exported()[0], section):
        assert "" not in record.values()
        assert "null" not in [record[name] for name in NOT_NULL[section].split()]


def test_references_lead_somewhere_and_ambiguity_is_coded():
    text, _ = exported()
    features = {record["SMF_ID"]: record for record in records(text, "SMF")}
    evidence = {record["SME_ID"] for record in records(text, "SME")}
    named = []
    for molecule in records(text, "SML"):
        for feature in molecule["SMF_ID_REFS"].split("|"):
            cited = features[feature]["SME_ID_REFS"]
            named += [] if cited == "null" else cited.split("|")
            assert features[feature]["SME_ID_REF_ambiguity_code"] == ("1" if "|" in cited else "null")
    assert sorted(named) == sorted(evidence)
    assert len(evidence) == 2 + 6 + 1


def test_lists_of_a_molecule_have_one_length():
    molecules = records(exported()[0], "SML")
    lengths = [{len(row[name].split("|")) for name in LISTS if row[name] != "null"} for row in molecules]
    assert lengths == [{2}, {1}, {1}, set()]
    assert molecules[0]["database_identifier"] == "sb:M1|sb:M%7C2"
    assert molecules[0]["chemical_name"] == "paracetamol|null"


def test_what_the_level_allows_is_named():
    molecules = records(exported()[0], "SML")
    assert [row["reliability"] for row in molecules] == ["3", "4", "2a", "5"]
    chosen = ("chemical_formula", "smiles", "theoretical_neutral_mass", "adduct_ions", "best_id_confidence_value")
    assert [tuple(row[name] for name in chosen) for row in molecules[1:]] == [
        ("C5H14NO", "null", "104.107539", "[M]+", "0.09"),
        ("C8H9NO2", "CC(=O)Nc1ccc(O)cc1", "151.063329", "[M-H]-", "0.3"),
        ("null", "null", "null", "null", "null"),
    ]


def test_databases_of_ids_are_declared():
    text, _ = exported([PARACETAMOL | {"id": "pubchem:1983"}, ANTHRANILATE])
    fields = dict(sections(text)["MTD"])
    assert [fields[f"database[{i}]-prefix"] for i in (1, 2)] == ["sb", "pubchem"]
    assert fields["database[2]-uri"] == "https://pubchem.ncbi.nlm.nih.gov"
    (molecule,) = records(text, "SML")
    assert molecule["database_identifier"] == "pubchem:1983|sb:M%7C2"
    assert molecule["uri"] == "https://pubchem.ncbi.nlm.nih.gov/compound/1983|null"
    prefixes = {row["database_identifier"].partition(":")[0] for row in records(text, "SME")}
    assert prefixes == {fields[f"database[{i}]-prefix"] for i in (1, 2)}


def test_evidence():
    rows = records(exported()[0], "SME")
    chosen = ("evidence_input_id", "database_identifier", "exp_mass_to_charge", "charge", "spectra_ref", "rank")
    assert [tuple(rows[i][name] for name in chosen) for i in (0, 1, 2, 8)] == [
        ("ms_run[1]:index=0", "sb:M1", "152.070900", "1", "ms_run[1]:index=0", "1"),
        ("ms_run[1]:index=0", "sb:M|2", "152.070900", "1", "ms_run[1]:index=0", "2"),
        ("ms_run[1]:index=1", "sb:null", "104.107000", "1", "ms_run[1]:index=1", "1"),
        ("ms_run[1]:index=3", "sb:M1", "150.056000", "1", "ms_run[1]:index=3", "1"),
    ]
    assert rows[2]["chemical_name"] == r"line\nbreak\tand tab"
    # 151.063329 -/+ a proton; the cation is lighter than its atoms by an electron
    theory = [float(rows[i]["theoretical_mass_to_charge"]) for i in (0, 2, 8)]
    assert theory == pytest.approx([152.070605, 104.106990, 150.056053], abs=2e-6)
    assert [rows[8][f"id_confidence_measure[{i}]"] for i in (1, 2, 3)] == ["0.3", "0.9", "0.9"]
    assert all(row["adduct_ion"] == "null" or ADDUCT.fullmatch(row["adduct_ion"]) for row in rows)
    feature = records(exported()[0], "SMF")[3]
    assert (feature["exp_mass_to_charge"], feature["charge"]) == ("321.500000", "2")


USI = "mzspec:MSV000012345:run1:scan:{}"
USI_COLUMN = "opt_global_cv_MS:1003063_universal_spectrum_identifier"


@pytest.mark.parametrize("of_hits", ["", USI.format(1)])
def test_usi_stands_behind_the_evidence_by_the_hits_or_by_the_spectra(of_hits):
    columns, spectra = (*COLUMNS, "usi"), SPECTRA.replace("TITLE=cation\n", f"TITLE=cation\nUSI={USI.format(2)}\n")
    rows = [row | {"usi": of_hits} if row["query_id"] == "a" else row for row in ROWS]
    text, _ = exported(rows, spectra, 10, columns)
    assert sections(text)["SEH"] == [[*sections(exported()[0])["SEH"][0], USI_COLUMN]]
    assert [row[USI_COLUMN] for row in records(text, "SME")] == [of_hits or "null"] * 2 + [USI.format(2)] * 6 + ["null"]
    assert not any(USI_COLUMN in row for key in ("SMH", "SFH") for row in sections(text)[key])


def test_usis_of_a_group_are_a_list_and_a_table_without_any_has_no_column():
    columns, both = (*COLUMNS, "usi"), f"{USI.format(1)};{USI.format(2)}"
    (row,) = records(exported([PARACETAMOL | {"usi": both}], None, 10, columns)[0], "SME")
    assert row[USI_COLUMN] == both.replace(";", "|")
    assert exported(ROWS, SPECTRA, 10, columns)[0] == exported()[0]


@pytest.mark.parametrize(
    ("adduct", "spelled"),
    [("[M+(37Cl)]-", "[M+37Cl]-"), ("M+H", "[M+H]+"), ("[M+2H]2+", "[M+2H]2+"), ("[M+2(37Cl)]2-", "null")],
)
def test_adducts_are_spelled_as_specified_or_null(adduct, spelled):
    text, _ = exported([PARACETAMOL | {"adduct": adduct}], None)
    assert records(text, "SME")[0]["adduct_ion"] == spelled


def test_queries_without_mz_or_ion_are_rejected():
    _, tally = exported([PARACETAMOL, ROWS[-1]], None)
    assert (tally.n_read, tally.n_written, dict(tally.reasons)) == (2, 1, {"no m/z: give the spectra": 1})
    _, tally = exported([PARACETAMOL | {"adduct": ""}])
    assert dict(tally.reasons) == {"candidate without adduct or mass": 1}


def test_pyteomics_reads_it(tmp_path):
    (tmp_path / "hits.mztab").write_text(exported()[0])
    with (tmp_path / "hits.mztab").open() as file:
        table = MzTab(file)
    assert (table.variant, table.version) == ("M", "2.0.0-M")
    assert list(table.small_molecule_table["reliability"].astype(str)) == ["3", "4", "2a", "5"]
    assert table.small_molecule_feature_table["exp_mass_to_charge"].tolist() == [152.0709, 104.107, 150.056, 321.5]
    evidence = table.small_molecule_evidence_table
    assert evidence["id_confidence_measure[1]"].tolist() == [0.4, 0.2, *[0.09] * 6, 0.3]
    assert evidence["inchi"][0] == "InChI=1S/C8H9NO2/c1-6(10)9-7-2-4-8(11)5-3-7/h2-5,11H,1H3,(H,9,10)"
