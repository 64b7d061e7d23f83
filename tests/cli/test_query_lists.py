"""sb-query with given candidate lists, with groups of spectra, and with a least probability."""

import csv
import gzip
import io

import numpy as np
import pytest
from click.testing import CliRunner

from specbridge_tools.cli.build_index import main as build_index
from specbridge_tools.cli.embed_mols import main as embed_mols
from specbridge_tools.cli.embed_spectra import main as embed_spectra
from specbridge_tools.cli.query import main
from specbridge_tools.molecules.formula import mass_of_formula

PROTON = 1.007276466
MASS = mass_of_formula("C8H10O2")
SMILES = ("COc1ccc(CO)cc1", "OCCc1ccc(O)cc1", "COc1ccccc1OC", "CCOc1ccc(O)cc1")
RESPELLED = ("c1(CO)ccc(OC)cc1", "C1=CC(CCO)=CC=C1O", "O(C)c1c(OC)cccc1", "Oc1ccc(OCC)cc1")


def record(title, seed, *, mass=MASS, fields="", adduct="[M+H]+"):
    peaks = np.random.default_rng(seed).uniform(30, 130, 5)
    lines = "".join(f"{mz:.4f} {i + 1}\n" for i, mz in enumerate(peaks))
    return f"BEGIN IONS\nTITLE={title}\nPEPMASS={mass + PROTON}\nCHARGE=1+\nADDUCT={adduct}\n{fields}{lines}END IONS\n"


SPECTRA = (
    record("a", 1, fields="CANDIDATES=first\nFEATURE=F1\nSTEP=20\n")
    + record("b", 2, fields="CANDIDATES=first\nFEATURE=F1\nSTEP=40\n")
    + "BEGIN IONS\nTITLE=broken\nPEPMASS=0\n50 1\nEND IONS\n"
    + record("c", 3, fields="CANDIDATES=second\nFEATURE=F2\n")
    + record("d", 4)
)


@pytest.fixture(scope="module")
def files(tmp_path_factory, save_toy_model):
    folder = tmp_path_factory.mktemp("lists")
    calibration = {"scale": 5.0, "none": 0.0, "none_log_candidates": 0.1, "none_log_top": -0.1}
    save_toy_model(folder / "model.safetensors", calibration=calibration)
    save_toy_model(folder / "plain.safetensors")
    (folder / "molecules.smi").write_text("\n".join((*SMILES[:3], "CCO")) + "\n")
    (folder / "spectra.mgf").write_text(SPECTRA)
    runner = CliRunner()
    for command, arguments in (
        (embed_mols, ("molecules.smi", "-o", "molecules.h5", "--encoder", "toy")),
        (build_index, ("molecules.h5", "-o", "index.h5", "--model", "model.safetensors")),
        (embed_spectra, ("spectra.mgf", "-o", "spectra.h5", "--model", "model.safetensors")),
    ):
        given = [str(folder / word) if "." in word else word for word in arguments]
        done = runner.invoke(command, given)
        assert done.exit_code == 0, done.stderr
    return folder


@pytest.fixture
def ask(files):
    def invoke(*arguments, spectra="spectra.mgf", model="model.safetensors", **settings):
        given = ["-" if spectra == "-" else files / spectra, *(["--model", files / model] if model else []), *arguments]
        return CliRunner().invoke(main, [str(argument) for argument in given], **settings)

    return invoke


@pytest.fixture
def write(tmp_path):
    def lists(*rows, name="lists.tsv", header="list_id\tsmiles"):
        (tmp_path / name).write_text("\n".join((header, *("\t".join(row) for row in rows))) + "\n")
        return tmp_path / name

    return lists


def table(done):
    assert done.exit_code == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout), delimiter="\t"))


def ranking(rows, query_id):
    """What must not depend on how the lists are written."""
    kept = ("rank", "score", "probability", "inchikey14", "smiles", "adduct", "n_candidates")
    return [tuple(row[name] for name in kept) for row in rows if row["query_id"] == query_id]


LISTS = [("first", SMILES[0]), ("first", SMILES[1]), ("second", SMILES[2]), ("first", "CCO"), ("unused", "no SMILES")]


def test_each_query_has_its_own_list(ask, write):
    done = ask("--candidates", write(*LISTS))
    rows = table(done)
    assert [row["query_id"] for row in rows] == ["a"] * 3 + ["b"] * 3 + ["broken", "c", "d"]
    assert {row["smiles"] for row in rows[:3]} == {SMILES[0], SMILES[1], "CCO"}
    assert [float(row["score"]) for row in rows[:3]] == sorted((float(row["score"]) for row in rows[:3]), reverse=True)
    assert rows[7]["smiles"] == SMILES[2]
    assert [row["reason"] for row in rows if row["reason"]] == ["precursor not positive", "no candidate list"]
    # neither mass nor adduct selects, but what they say stands in the row
    ethanol = next(row for row in rows if row["smiles"] == "CCO")
    assert (ethanol["adduct"], float(ethanol["mass_error_ppm"]) > 1000) == ("[M+H]+", True)
    assert done.stderr.startswith("4 candidate structures read, 0 rejected, 4 written, ")
    assert "; 5 spectra read, 1 rejected (1 precursor not positive), 5 written" in done.stderr


def test_neither_order_nor_spelling_nor_repeats_move_the_ranking(ask, write):
    plain = table(ask("--candidates", write(*[("first", each) for each in SMILES]), "--top", "0"))
    other = [("first", each) for each in (*RESPELLED[::-1], SMILES[1], "[Na+].COc1ccccc1OC")]
    changed = table(ask("--candidates", write(*other, name="other.tsv"), "--top", "0"))
    assert len(ranking(plain, "a")) == 4
    assert ranking(plain, "a") == ranking(changed, "a")
    assert ranking(plain, "b") == ranking(changed, "b")


def test_lists_by_query_and_their_header(ask, write):
    rows = [(each, "x", "c") for each in SMILES[:2]]
    found = table(ask("--candidates", write(*rows, header="SMILES\tname\tquery_id")))
    assert [row["smiles"] for row in found if row["query_id"] == "c"]
    assert {row["reason"] for row in found if row["query_id"] in "abd"} == {"no candidate list"}
    refused = ask("--candidates", write(("x", "CCO"), header="key\tsmiles"))
    assert (refused.exit_code, "list_id or query_id" in refused.stderr) == (1, True)
    refused = ask("--candidates", write(("first", "CCO", "more")))
    assert (refused.exit_code, "line 2: 3 fields where the header has 2" in refused.stderr) == (1, True)


@pytest.mark.slow
def test_lists_quoted_by_r_or_as_csv_with_ids_and_names(ask, write, tmp_path):
    plain = table(ask("--candidates", write(("first", SMILES[0]), ("first", SMILES[1]))))
    (tmp_path / "r.tsv").write_text(f'"list_id"\t"smiles"\n"first"\t"{SMILES[0]}"\n"first"\t"{SMILES[1]}"\n')
    assert ranking(table(ask("--candidates", tmp_path / "r.tsv")), "a") == ranking(plain, "a")
    (tmp_path / "c.csv").write_text(
        f'list_id,Identifier,CompoundName,SMILES\nfirst,9,"""quoted"", or so",{SMILES[0]}\nfirst,,,{SMILES[1]}\n'
        f"first,8,again,{RESPELLED[0]}\n"
    )
    rows = [row for row in table(ask("--candidates", tmp_path / "c.csv")) if row["query_id"] == "a"]
    assert {(row["smiles"], row["id"], row["name"], row["all_ids"]) for row in rows} == {
        (SMILES[0], "9", '"quoted", or so', "9;8"),
        (SMILES[1], "line=3", "", "line=3"),
    }


def test_an_index_gives_the_same_as_encoding_now(ask, write, files):
    lists = write(*[("first", each) for each in RESPELLED])
    done = ask("--candidates", lists, "--index", files / "index.h5", "--top", "0")
    assert done.stderr.startswith("4 candidate structures read, 1 rejected (1 not in the index), 3 written, ")
    expected = table(ask("--candidates", write(*[("first", each) for each in SMILES[:3]], name="3.tsv"), "--top", "0"))
    assert ranking(table(done), "a") == ranking(expected, "a")
    none = table(ask("--candidates", write(("first", SMILES[3])), "--index", files / "index.h5"))
    assert none[0]["reason"] == "no usable candidate in the list"


def test_structures_that_cannot_be_read_are_counted_and_listed(ask, write, tmp_path):
    lists = write(("first", "CCO"), ("first", "C(C"), ("second", ""))
    done = ask("--candidates", lists, "--rejects", tmp_path / "rejects.tsv")
    rows = table(done)
    assert done.stderr.startswith("3 candidate structures read, 2 rejected (")
    assert [row["reason"] for row in rows if row["query_id"] == "c"] == ["no usable candidate in the list"]
    rejects = list(csv.DictReader((tmp_path / "rejects.tsv").read_text().splitlines(), delimiter="\t"))
    assert [(row["source"], row["line"]) for row in rejects[:2]] == [(str(lists), "3"), (str(lists), "4")]
    strict = ask("--candidates", lists, "--strict")
    assert (strict.exit_code, f"{lists}: line 3: " in strict.stderr) == (1, True)


@pytest.mark.slow
def test_pipes_of_spectra_and_lists(run, files, write):
    lists = write(*LISTS)
    model = ("--model", files / "model.safetensors")
    expected = run("sb-query", files / "spectra.mgf", "--candidates", lists, *model).stdout
    packed = gzip.compress(SPECTRA.encode())
    assert run("sb-query", "-", "--candidates", lists, *model, stdin=packed).stdout == expected
    piped = run("sb-query", files / "spectra.mgf", "--candidates", "-", *model, stdin=lists.read_bytes())
    assert piped.stdout == expected
    assert expected.count(b"\n") == 10


@pytest.mark.slow
def test_embeddings_know_their_ids_alone(ask, write):
    by_id = write(("a", SMILES[0]), ("a", SMILES[1]), header="query_id\tsmiles")
    direct = table(ask("--candidates", by_id))
    assert table(ask("--candidates", by_id, spectra="spectra.h5")) == direct
    refused = ask("--candidates", write(*LISTS), spectra="spectra.h5")
    assert (refused.exit_code, "query_id" in refused.stderr) == (2, True)


def test_the_encoder_must_be_the_models(ask, write):
    refused = ask("--candidates", write(*LISTS), "--encoder", "toy:dimension=16")
    assert refused.exit_code == 3
    assert "toy:dimension=16" in refused.stderr
    assert "toy:dimension=32" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(("--candidates", "x.tsv", "--mode", "open"), "--mode"), (("--candidates", "-"), "stdin")],
)
def test_options_that_make_no_sense(ask, arguments, word):
    refused = ask(*arguments, spectra="-" if word == "stdin" else "spectra.mgf")
    assert (refused.exit_code, word in refused.stderr) == (2, True)


def test_groups_are_answered_once(ask, files):
    rows = table(done := ask("--index", files / "index.h5", "--group-by", "Feature", "--top", "1"))
    assert [row["query_id"] for row in rows] == ["F1", "broken", "F2", "d"]
    assert [row["record"] for row in rows] == ["1", "3", "4", "5"]
    assert [row["reason"] for row in rows] == ["", "precursor not positive", "", "no feature"]
    assert done.stderr.startswith("5 spectra read, 2 rejected (1 precursor not positive, 1 no feature), 4 written")
    alone = [row for row in table(ask("--index", files / "index.h5", "--top", "1")) if row["query_id"] == "c"]
    assert [row | {"query_id": "F2"} for row in alone] == rows[2:3]


def test_groups_from_pipes_and_out_of_order(ask, files):
    index = ("--index", files / "index.h5", "--group-by", "feature")
    expected = table(ask(*index))
    assert table(ask(*index, spectra="-", input=gzip.compress(SPECTRA.encode()))) == expected
    blocks = SPECTRA.split("END IONS\n")[:-1]
    shuffled = "".join(f"{blocks[i]}END IONS\n" for i in (1, 3, 4, 2, 0))
    found = table(ask(*index, spectra="-", input=shuffled.encode()))
    assert list(dict.fromkeys(row["query_id"] for row in found)) == ["F1", "F2", "d", "broken"]
    assert ranking(found, "F1") == ranking(expected, "F1")
    assert ranking(found, "F2") == ranking(expected, "F2")


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ({"mass": MASS + 0.1}, "spectra of several precursors in the group"),
        ({"adduct": "[M+Na]+"}, "spectra of several adducts in the group"),
    ],
)
def test_groups_of_several_ions_are_rejected(ask, files, tmp_path, second, reason):
    text = record("a", 1, fields="F=g\n") + record("b", 2, fields="F=g\n", **second) + record("c", 3, fields="F=h\n")
    arguments = ("--index", files / "index.h5", "--group-by", "F", "--top", "1", "--rejects", tmp_path / "r.tsv")
    rows = table(done := ask(*arguments, spectra="-", input=text.encode()))
    assert [(row["query_id"], row["reason"]) for row in rows] == [("g", reason), ("h", "")]
    assert f"3 spectra read, 2 rejected (2 {reason}), 2 written" in done.stderr
    rejects = list(csv.DictReader((tmp_path / "r.tsv").read_text().splitlines(), delimiter="\t"))
    assert [(row["id"], row["record"], row["detail"]) for row in rejects] == [("a", "1", "f g"), ("b", "2", "f g")]


def test_groups_have_lists_by_their_names(ask, write):
    lists = write(("F1", SMILES[0]), ("F2", SMILES[1]), header="query_id\tsmiles")
    rows = table(ask("--candidates", lists, "--group-by", "feature"))
    assert [(row["query_id"], row["smiles"]) for row in rows if row["smiles"]] == [("F1", SMILES[0]), ("F2", SMILES[1])]


def test_embeddings_cannot_be_grouped(ask, files):
    refused = ask("--index", files / "index.h5", "--group-by", "feature", spectra="spectra.h5")
    assert (refused.exit_code, "feature" in refused.stderr) == (2, True)


def test_least_probability(ask, files):
    index = ("--index", files / "index.h5", "--top", "0")
    rows = table(ask(*index))
    threshold = sorted(float(row["probability"]) for row in rows if row["probability"])[-2]
    kept = table(done := ask(*index, "--min-probability", repr(threshold)))
    assert [row for row in kept if row["probability"]] == [
        row for row in rows if row["probability"] and float(row["probability"]) >= threshold
    ]
    assert list(dict.fromkeys(row["query_id"] for row in kept)) == ["a", "b", "broken", "c", "d"]
    below = [row for row in kept if not row["inchikey14"] and row["query_id"] != "broken"]
    assert len(below) >= 2
    for row in below:
        assert row["reason"].startswith("no candidate with a probability of at least ")
        assert row["n_candidates"] == "3"
    assert done.stderr.rstrip().endswith(f"{len(below) + 1} without a candidate")


def test_probabilities_must_exist(ask, files):
    index = ("--index", files / "index.h5", "--min-probability", "0.5")
    refused = ask(*index, model="plain.safetensors")
    assert (refused.exit_code, "plain.safetensors" in refused.stderr) == (2, True)
    assert ask(*index, spectra="spectra.h5", model=None).exit_code == 2
    assert ask(*index, "--mode", "open", "--exact").exit_code == 2


def test_an_encoder_that_is_not_at_hand_is_named(ask, write, files, save_toy_model):
    elsewhere = {"molecule_encoder": "chemberta:elsewhere,pooling=cls", "molecule_encoder_sha256": "e5" * 32}
    save_toy_model(files / "elsewhere.safetensors", **elsewhere)
    refused = ask("--candidates", write(*LISTS), model="elsewhere.safetensors")
    assert (refused.exit_code, "chemberta:elsewhere,pooling=cls" in refused.stderr) == (2, True)
    assert "--encoder" in refused.stderr


def test_a_table_without_a_list_for_any_spectrum_is_named(ask, write):
    refused = ask("--candidates", lists := write(("elsewhere", "CCO")))
    assert (refused.exit_code, f"{lists}: no list_id is that of a spectrum" in refused.stderr) == (1, True)


@pytest.mark.parametrize("with_index", [True, False])
@pytest.mark.parametrize(
    ("text", "rows"), [("", []), ("BEGIN IONS\nTITLE=broken\nPEPMASS=0\n50 1\nEND IONS\n", ["broken"])]
)
def test_a_file_without_a_usable_spectrum_is_no_error(ask, files, write, tmp_path, text, rows, with_index):
    (tmp_path / "nothing.mgf").write_text(text)
    index = ["--index", files / "index.h5"] if with_index else []
    done = ask("--candidates", write(*LISTS), *index, "--allow-empty", spectra=tmp_path / "nothing.mgf")
    assert done.exit_code == 0, done.stderr
    header, *answered = csv.reader(io.StringIO(done.stdout), delimiter="\t")
    assert header[0] == "query_id"
    assert [row[0] for row in answered] == rows
    assert all(row[header.index("reason")] for row in answered)


@pytest.mark.parametrize("with_index", [True, False])
def test_of_several_structures_of_a_row_the_one_that_can_be_read_counts(ask, files, write, with_index):
    index = ["--index", files / "index.h5"] if with_index else []
    rows = [("first", "c1ccc", SMILES[0]), ("first", "c1ccc", SMILES[1]), ("first", "not a SMILES(", "")]
    lists = write(*rows, header="list_id\tsmiles\tisomeric_smiles")
    done = ask("--candidates", lists, *index, "--top", "0")
    found = [row["inchikey14"] for row in table(done) if row["query_id"] == "a"]
    plain = table(ask("--candidates", write(*(("first", text) for text in SMILES[:2])), *index, "--top", "0"))
    assert found == [row["inchikey14"] for row in plain if row["query_id"] == "a"]
    assert len(found) == 2
    assert "3 candidate structures read, 1 rejected (1 structure cannot be read), 2 written" in done.stderr
