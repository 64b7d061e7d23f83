"""sb-export: each format is read back by a reader of the field, and by its own rules."""

import csv
import io
import json

import pytest

COLUMNS = (
    "query_id", "rank", "score", "probability", "inchikey14", "smiles", "formula", "exact_mass", "adduct",
    "mass_error_ppm", "id", "name", "n_candidates", "reason", "all_ids", "record", "analog_score", "analog_id",
)  # fmt: skip
TRUTH, OTHER = "CC(=O)Nc1ccc(O)cc1", "COC(=O)c1ccccc1N"
KEYS = {TRUTH: "RZVAJINKPMORJF", OTHER: "VAMXMNNIEUEQDV"}
INCHI = "InChI=1S/C8H9NO2/c1-6(10)9-7-2-4-8(11)5-3-7/h2-5,11H,1H3,(H,9,10)"
EXACT_MASS = 151.063329  # of C8H9NO2, 8 C + 9 H + N + 2 O
MZ = 152.070605  # + H - electron


def row(query, record, *, rank=1, probability=0.61, smiles=TRUTH, name="paracetamol", **more):
    values = {
        "query_id": query, "rank": rank, "score": 0.8 - rank / 10, "probability": probability,
        "inchikey14": KEYS[smiles], "smiles": smiles, "formula": "C8H9NO2", "exact_mass": EXACT_MASS,
        "adduct": "[M+H]+", "mass_error_ppm": 2.0, "id": f"M{rank}", "name": name, "n_candidates": 7,
        "all_ids": f"M{rank}", "record": record,
    }  # fmt: skip
    return values | more


ROWS = (
    row("p1", 1, analog_id="REF7", analog_score=0.71),
    row("p1", 1, rank=2, probability=0.2, smiles=OTHER, name='a|b\tc"d', analog_id="REF7", analog_score=0.5),
    {"query_id": "none", "n_candidates": 0, "reason": "no molecule in the window", "record": 2},
    row("p2", 3, probability=0.05),
)
MGF = """BEGIN IONS
TITLE={}
PEPMASS=152.0709 200
CHARGE=1+
RTINSECONDS=63.5
NAME=a name of its own
SMILES=CCO
65.0386 10
110.06 100
END IONS

"""


def write_hits(path, rows=ROWS, columns=COLUMNS):
    with path.open("w", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerows([columns, *([record.get(name, "") for name in columns] for record in rows)])


@pytest.fixture
def files(tmp_path):
    write_hits(tmp_path / "hits.tsv")
    (tmp_path / "spectra.mgf").write_text("".join(map(MGF.format, ("p1", "none", "p2"))))
    return tmp_path


def export(call, output_format, *arguments, spectra=True, status=0):
    spectra = ("--spectra", "spectra.mgf") if spectra else ()
    done = call("sb-export", "hits.tsv", "--format", output_format, *spectra, *arguments, status=status)
    return done.stdout.decode(), done.stderr.decode()


def table_of(text):
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def test_sirius(call, files):
    text, stderr = export(call, "sirius", "--top", "0", "--rejects", "r.tsv")
    first, second, last = table_of(text)
    assert list(first)[:5] == [
        "structurePerIdRank", "formulaRank", "ConfidenceScoreExact", "ConfidenceScoreApproximate", "CSI:FingerIDScore",
    ]  # fmt: skip
    assert list(first)[-2:] == ["overallFeatureQuality", "level"]
    chosen = ("structurePerIdRank", "formulaRank", "ConfidenceScoreExact", "molecularFormula", "adduct", "InChIkey2D")
    assert [first[name] for name in chosen] == ["1", "1", "0.61", "C8H9NO2", "[M + H]+", "RZVAJINKPMORJF"]
    chosen = ("InChI", "name", "smiles", "ionMass", "retentionTimeInSeconds", "retentionTimeInMinutes", "level")
    assert [first[name] for name in chosen] == [INCHI, "paracetamol", TRUTH, "152.07090", "63.50", "1.0583", "3"]
    assert [first["mappingFeatureId"], last["mappingFeatureId"]] == ["p1", "p2"]
    assert second["name"] == 'a|b\\tc"d'
    assert stderr.startswith("3 queries read, 1 rejected (1 no candidate), 2 written, ")
    (rejected,) = table_of((files / "r.tsv").read_text())
    assert (rejected["id"], rejected["record"], rejected["detail"]) == ("none", "2", "no molecule in the window")


def test_the_feature_id_of_the_spectrum_goes_before_its_name(call, files):
    text = (files / "spectra.mgf").read_text().replace("TITLE=p1\n", "TITLE=p1\nFEATURE_ID=12\n")
    (files / "spectra.mgf").write_text(text)
    assert [line["mappingFeatureId"] for line in table_of(export(call, "sirius")[0])] == ["12", "p2"]


MZMINE = """BEGIN IONS
FEATURE_ID={0}
PEPMASS=152.0709
SCANS={0}
RTINSECONDS={1}
CHARGE=1+
MSLEVEL=2
65.0386 10
110.06 100
END IONS

"""


def test_from_mzmine_to_a_table_that_it_imports(call, save_toy_model, tmp_path):
    pandas = pytest.importorskip("pandas")
    (tmp_path / "features.mgf").write_text(MZMINE.format(12, 63.5) + MZMINE.format(7, 90))
    (tmp_path / "m.tsv").write_text(f"id\tname\tsmiles\nM1\tparacetamol\t{TRUTH}\n")
    call("sb-embed-mols", "m.tsv", "--encoder", "toy", "-o", "m.h5")
    call("sb-build-index", "m.h5", "-o", "index.h5")
    save_toy_model(tmp_path / "model.safetensors")
    call("sb-query", "features.mgf", "--index", "index.h5", "--model", "model.safetensors", "-o", "hits.tsv")
    call("sb-export", "hits.tsv", "--spectra", "features.mgf", "--format", "sirius", "-o", "s.tsv")
    table = pandas.read_csv(tmp_path / "s.tsv", sep="\t")
    assert table["mappingFeatureId"].tolist() == [12, 7]
    assert table["ionMass"].tolist() == [152.0709, 152.0709]
    assert table["retentionTimeInMinutes"].tolist() == [1.0583, 1.5]
    assert set(table["smiles"]) == {TRUTH}


def test_maf(call, files):
    rows = table_of(export(call, "maf", "--top", "0")[0])
    names = (
        "metabolite_identification",
        "reliability",
        "chemical_formula",
        "charge",
        "modifications",
        "retention_time",
    )
    assert [tuple(line[name] for name in names) for line in rows] == [
        ("paracetamol", "3", "C8H9NO2", "1", "[M+H]+", "63.50"),
        ('a|b\\tc"d', "3", "C8H9NO2", "1", "[M+H]+", "63.50"),
        ("unknown", "5", "", "1", "", "63.50"),
        ("unknown", "5", "", "1", "", "63.50"),
    ]
    assert rows[0]["database_identifier"] == "M1"
    assert rows[2]["mass_to_charge"] == "152.07090"


def test_ids_that_name_their_database(call, files):
    write_hits(files / "hits.tsv", [ROWS[0] | {"id": "pubchem:1983"}])
    page = "https://pubchem.ncbi.nlm.nih.gov/compound/1983"
    (line,) = table_of(export(call, "sirius")[0])
    assert (line["pubchemids"], line["links"]) == ("1983", "pubchem:(1983)")
    (line,) = table_of(export(call, "maf")[0])
    assert (line["database_identifier"], line["database"], line["uri"]) == ("pubchem:1983", "PubChem", page)
    assert f'<data key="n_uri">{page}</data>' in export(call, "graphml")[0]


def test_edges(call, files):
    rows = table_of(export(call, "tsv-edges", "--top", "0")[0])
    names = ("source", "target", "interaction", "weight", "level")
    assert [tuple(line[name] for name in names) for line in rows] == [
        ("p1", "RZVAJINKPMORJF", "candidate", "0.61", "3"),
        ("p1", "REF7", "analog", "0.71", "3"),
        ("p1", "VAMXMNNIEUEQDV", "candidate", "0.2", "3"),
        ("none", "", "", "", "5"),
        ("p2", "RZVAJINKPMORJF", "candidate", "0.05", "5"),
    ]


def test_graphml_is_read_by_networkx(call, files):
    networkx = pytest.importorskip("networkx")
    (files / "out.graphml").write_text(export(call, "graphml", "--top", "0")[0])
    graph = networkx.read_graphml(files / "out.graphml")
    kinds = {node: values["kind"] for node, values in graph.nodes(data=True)}
    assert kinds == {
        "query 1": "query", "molecule RZVAJINKPMORJF": "molecule", "reference REF7": "reference",
        "molecule VAMXMNNIEUEQDV": "molecule", "query 2": "query", "query 3": "query",
    }  # fmt: skip
    assert graph.nodes["query 1"] == {
        "name": "p1",
        "kind": "query",
        "level": "3",
        "mz": 152.0709,
        "retention_time": 63.5,
    }
    assert graph.nodes["molecule VAMXMNNIEUEQDV"]["name"] == 'a|b\\tc"d'
    edge = graph.edges["query 1", "molecule RZVAJINKPMORJF"]
    assert edge == {
        "interaction": "candidate", "weight": 0.61, "level": "3", "rank": 1.0, "score": 0.7, "probability": 0.61,
    }  # fmt: skip
    assert graph.edges["query 1", "reference REF7"]["interaction"] == "analog"
    assert graph.degree("query 2") == 0


def test_mgf_is_read_by_pyteomics_and_by_us(call, files):
    import pyteomics.mgf

    (files / "out.mgf").write_text(export(call, "mgf")[0])
    with pyteomics.mgf.read(str(files / "out.mgf"), use_index=False) as spectra:
        first, none, _ = list(spectra)
    chosen = ("title", "name", "smiles", "inchi", "formula", "score", "probability", "level", "adduct")
    assert [first["params"][name] for name in chosen] == [
        "p1", "paracetamol", TRUTH, INCHI, "C8H9NO2", "0.7", "0.61", "3", "[M+H]+",
    ]  # fmt: skip
    assert first["params"]["inchikey"] == "RZVAJINKPMORJF-UHFFFAOYSA-N"
    assert first["m/z array"].tolist() == [65.0386, 110.06]
    assert first["params"]["pepmass"] == (152.0709, 200.0)
    # what the spectrum called itself is not the answer
    assert {"name", "smiles", "inchikey"} & set(none["params"]) == set()
    assert none["params"]["level"] == "5"


def test_mgf_is_read_by_matchms(call, files):
    # no requirement of the tests, since it keeps scipy and networkx at older versions; read with 0.33.1
    importing = pytest.importorskip("matchms.importing")
    (files / "out.mgf").write_text(export(call, "mgf")[0])
    first = next(iter(importing.load_from_mgf(str(files / "out.mgf"))))
    assert [first.get(name) for name in ("smiles", "compound_name", "adduct")] == [TRUTH, "paracetamol", "[M+H]+"]
    assert first.get("inchikey") == "RZVAJINKPMORJF-UHFFFAOYSA-N"
    assert first.get("precursor_mz") == 152.0709


def test_without_spectra_the_mass_error_tells_the_mz(call, files):
    text, _ = export(call, "sirius", spectra=False)
    assert float(table_of(text)[0]["ionMass"]) == pytest.approx(MZ + 2e-6 * EXACT_MASS, abs=1e-5)


def test_mgf_needs_spectra(call, files):
    _, stderr = export(call, "mgf", spectra=False, status=2)
    assert stderr == "sb-export: error: MGF needs the spectra; give --spectra\n"
    _, stderr = export(call, "mgf", "--top", "3", status=2)
    assert stderr == "sb-export: error: a spectrum in MGF has one annotation; leave --top away\n"
    assert not (files / "x.mgf").exists()


def test_json_lines(call, files):
    expected = {name: export(call, name)[0] for name in ("sirius", "mztab-m")}
    typed = [{name: record.get(name) for name in COLUMNS} for record in ROWS]
    (files / "hits.tsv").write_text("".join(json.dumps(record) + "\n" for record in typed))
    assert {name: export(call, name)[0] for name in expected} == expected


@pytest.mark.slow
def test_pipes(run, files):
    done = run("sb-export", "-", "--format", "tsv-edges", stdin=(files / "hits.tsv").read_bytes())
    assert [line["target"] for line in table_of(done.stdout.decode())] == [
        "RZVAJINKPMORJF",
        "REF7",
        "",
        "RZVAJINKPMORJF",
    ]
    done = run(
        "sb-export", "hits.tsv", "--format", "mztab-m", "--spectra", "-", stdin=(files / "spectra.mgf").read_bytes()
    )
    assert b"MTD\tms_run[1]-location\tnull\n" in done.stdout


def test_groups(call, files):
    text = (files / "spectra.mgf").read_text().replace("TITLE=none", "TITLE=p9\nFEATURE=g")
    (files / "spectra.mgf").write_text(text.replace("TITLE=p1", "TITLE=p1\nFEATURE=g"))
    write_hits(files / "hits.tsv", [row("g", 1)])
    text, _ = export(call, "mgf", "--group-by", "feature")
    assert text.count("\nINCHIKEY=RZVAJINKPMORJF-UHFFFAOYSA-N\n") == 2
    assert "ms_run[1]:index=0|ms_run[1]:index=1" in export(call, "mztab-m", "--group-by", "feature")[0]


NO_PEAKS = "BEGIN IONS\nTITLE=none\nPEPMASS=99.1\nCHARGE=1+\nEND IONS\n\n"


def test_a_query_that_could_not_be_used_has_no_spectrum(call, files):
    text = "".join((MGF.format("p1"), NO_PEAKS, MGF.format("p2")))
    (files / "spectra.mgf").write_text(text)
    text, stderr = export(call, "mgf", "--rejects", "r.tsv")
    assert text.count("BEGIN IONS") == 2
    assert stderr.startswith("3 queries read, 1 rejected (1 no usable spectrum), 2 written, ")
    assert [line["id"] for line in table_of((files / "r.tsv").read_text())] == ["none"]
    assert export(call, "mztab-m")[1].startswith("3 queries read, 1 rejected (1 no m/z: give the spectra), 2 written, ")
    _, stderr = export(call, "mgf", "--strict", "-o", "strict.mgf", status=1)
    assert "hits.tsv: record 2: no usable spectrum (no molecule in the window); --strict makes" in stderr
    assert not (files / "strict.mgf").exists()


def test_a_group_without_candidates_keeps_its_spectra(call, files):
    spectra = (files / "spectra.mgf").read_text().replace("TITLE=", "FEATURE=g\nTITLE=")
    (files / "spectra.mgf").write_text(spectra + NO_PEAKS.replace("TITLE=none", "TITLE=x\nFEATURE=gone"))
    write_hits(files / "hits.tsv", [{"query_id": name, "record": record} for name, record in (("g", 1), ("gone", 4))])
    text, stderr = export(call, "mgf", "--group-by", "feature")
    assert text.count("\nLEVEL=5\n") == 3
    assert stderr.startswith("2 queries read, 1 rejected (1 no usable spectrum), 1 written, ")


def test_the_least_that_a_table_may_have(call, files):
    columns = ("query_id", "score", "inchikey14")
    write_hits(files / "hits.tsv", [ROWS[0] | {"query_id": "x"}], columns)
    (line,) = table_of(export(call, "sirius", spectra=False)[0])
    assert (line["InChIkey2D"], line["structurePerIdRank"], line["ionMass"], line["level"]) == (
        KEYS[TRUTH],
        "1",
        "",
        "5",
    )
    for output_format in ("maf", "tsv-edges", "graphml"):
        assert export(call, output_format, spectra=False)[1].startswith("1 queries read, 0 rejected, 1 written, ")
    assert "1 rejected (1 no m/z: give the spectra)" in export(call, "mztab-m", spectra=False)[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"adduct": "[M+Xx]+"}, "hits.tsv: query 'p1': unknown adduct '[M+Xx]+'"),
        ({"probability": "high"}, "hits.tsv: line 2: column probability of query p1: could not convert"),
        ({"formula": "C8H9?"}, "hits.tsv: query 'p1': 'C8H9?' is not a molecular formula"),
        ({"query_id": "other"}, "query 'other' of the hits is not among the spectra"),
    ],
)
def test_hits_that_are_wrong(call, files, change, message):
    write_hits(files / "hits.tsv", [ROWS[0] | change])
    _, stderr = export(call, "sirius", "-o", "x.tsv", status=1)
    assert message in stderr
    assert not (files / "x.tsv").exists()


def test_a_smiles_that_cannot_be_read_has_no_inchi(call, files):
    write_hits(files / "hits.tsv", [ROWS[0] | {"smiles": "C1CC"}])
    (line,) = table_of(export(call, "sirius")[0])
    assert (line["smiles"], line["InChI"]) == ("C1CC", "")


def test_no_hits_is_a_table_without_rows(call, files):
    write_hits(files / "hits.tsv", [])
    assert table_of(export(call, "sirius")[0]) == []
    assert export(call, "mztab-m")[0].count("\nSMH\t") == 1
