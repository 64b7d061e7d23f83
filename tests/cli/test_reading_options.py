"""The options that say how spectra are read, through the commands that read them."""

import csv
import io

import pytest

from specbridge_tools.cli.reading_options import SPECTRUM_FORMATS
from specbridge_tools.hits.table import read_hits
from specbridge_tools.identification.identify import identify
from specbridge_tools.spectra.reader import FORMATS, read_spectra

# feruloyl of case "two of three agree": [M-H]- and 1- beside a wrong ion mode
CONTRADICTORY = """BEGIN IONS
TITLE=a
PEPMASS=193.0506
CHARGE=1-
IONMODE=positive
ADDUCT=M-H
SMILES=COc1cc(C=CC(=O)O)ccc1O
134.0373 100
178.0272 30
END IONS
"""
WIDE = """BEGIN IONS
TITLE=dia
PEPMASS=195.0652
ADDUCT=[M+H]+
ISOLATIONWINDOWTARGETMZ=195.0652
ISOLATIONWINDOWLOWERMZ=182
ISOLATIONWINDOWUPPERMZ=208
50 1
END IONS
"""
DEEP = """BEGIN IONS
TITLE=ms3
PEPMASS=177.0546
MSLEVEL=3
MSN_PRECURSOR_MZS=[195.0652,177.0546]
ADDUCT=[M+H]+
50 1
END IONS
"""
FERULIC = "COc1cc(C=CC(=O)O)ccc1O"


@pytest.fixture
def files(call, save_toy_model, tmp_path):
    """An index of ferulic acid, its model, and spectra of it that are not plain."""
    (tmp_path / "m.tsv").write_text(f"id\tsmiles\nferulic\t{FERULIC}\n")
    call("sb-embed-mols", "m.tsv", "--encoder", "toy", "-o", "m.h5", "-q")
    call("sb-build-index", "m.h5", "-o", "i.h5", "-q")
    save_toy_model(tmp_path / "model.safetensors")
    for name, text in {"two": CONTRADICTORY, "wide": WIDE, "deep": DEEP}.items():
        (tmp_path / f"{name}.mgf").write_text(text)
    return tmp_path


def query(call, name, *arguments, status=0):
    done = call("sb-query", name, "--index", "i.h5", "--model", "model.safetensors", *arguments, status=status)
    return list(csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t")), done.stderr.decode()


def test_the_choices_are_the_formats():
    assert SPECTRUM_FORMATS == FORMATS


def test_repair(call, files):
    (row,), _ = query(call, "two.mgf", "--allow-empty")
    assert (row["reason"], row["smiles"], "repaired" in row) == ("contradictory charge", "", False)
    (row,), stderr = query(call, "two.mgf", "--repair")
    assert (row["id"], row["adduct"], row["repaired"]) == ("ferulic", "[M-H]-", "polarity was positive")
    assert stderr.startswith("1 spectra read, 0 rejected, 1 written, 1 repaired (a), ")


@pytest.mark.slow
def test_repaired_hits_go_through_the_commands_behind(call, files):
    call("sb-query", "two.mgf", "--index", "i.h5", "--model", "model.safetensors", "--repair", "-o", "h.tsv")
    done = call("sb-evaluate", "h.tsv", "--truth", "two.mgf", "--repair", "--show", "1")
    assert "1 repaired (a)" in done.stderr.decode()
    assert "1 of 1" in done.stdout.decode()
    call("sb-merge", "h.tsv", "-o", "merged.tsv")
    assert (files / "merged.tsv").read_bytes() == (files / "h.tsv").read_bytes()
    call("sb-rerank", "h.tsv", "--spectra", "two.mgf", "--repair", "-o", "r.tsv")
    (row,) = csv.DictReader((files / "r.tsv").open(), delimiter="\t")
    assert row["repaired"] == "polarity was positive"
    done = call("sb-rerank", "h.tsv", "--spectra", "two.mgf", "-o", "none.tsv", status=1)
    assert b"query 'a' of the hits cannot be used as it is read here: contradictory charge; give the" in done.stderr
    call("sb-report", "h.tsv", "--spectra", "two.mgf", "--truth", "two.mgf", "--repair", "-o", "page.html")
    assert "data:image" in (files / "page.html").read_text()


def test_jsonl_and_groups_name_the_repair(call, files):
    (files / "two.mgf").write_text(CONTRADICTORY.replace("SMILES", "FEATURE=7\nSMILES") * 2)
    done = call(
        "sb-query", "two.mgf", "--index", "i.h5", "--model", "model.safetensors", "--repair", "--group-by", "feature",
        "--format", "jsonl",
    )  # fmt: skip
    assert b'"query_id": "7"' in done.stdout
    assert b'"repaired": "polarity was positive"' in done.stdout
    assert b"2 repaired (a, a)" in done.stderr


def test_embeddings_and_parts_count_the_repair(call, files):
    done = call("sb-embed-spectra", "two.mgf", "--model", "model.safetensors", "--repair", "-o", "s.h5")
    assert b"1 written, 1 repaired (a), " in done.stderr
    call("sb-embed-spectra", "two.mgf", "--model", "model.safetensors", "-o", "none.h5", status=1)
    (files / "four.mgf").write_text(CONTRADICTORY + CONTRADICTORY.replace(FERULIC, "CCO"))
    for by in ("record", "molecule"):
        done = call("sb-split", "four.mgf", "--by", by, "--fractions", "1,1", "--repair", "-o", f"{by}/")
        assert b"2 repaired (a, a), " in done.stderr
        text = "".join(path.read_text() for path in sorted((files / by).iterdir()))
        assert text.count("IONMODE=negative\n") == 2
        assert text.count("REPAIRED=polarity was positive\n") == 2


def test_isolation_width(call, files):
    (row,), _ = query(call, "wide.mgf", "--allow-empty")
    assert row["reason"] == "isolation window too wide"
    (row,), _ = query(call, "wide.mgf", "--isolation-width", "26")
    assert (row["id"], row["adduct"]) == ("ferulic", "[M+H]+")
    query(call, "wide.mgf", "--isolation-width", "0", status=2)


def test_msn(call, files):
    rows, stderr = query(call, "deep.mgf")
    assert rows == []
    assert "deep.mgf: 1 spectra skipped (MS3 or deeper)" in stderr
    assert "deep.mgf holds no spectra of MS2" in stderr
    (row,), stderr = query(call, "deep.mgf", "--msn")
    assert (row["query_id"], row["id"]) == ("ms3", "ferulic")
    assert stderr.startswith("1 spectra read, 0 rejected")


def test_if_no_record_can_be_used_that_is_an_error(call, files):
    rejected = CONTRADICTORY + WIDE
    (files / "bad.mgf").write_text(rejected)
    done = call(
        "sb-query", "bad.mgf", "--index", "i.h5", "--model", "model.safetensors", "--rejects", "r.tsv", "-o", "h.tsv",
        status=1,
    )  # fmt: skip
    (line,) = done.stderr.decode().splitlines()
    reasons = "1 contradictory charge, 1 isolation window too wide"
    advice = "--rejects FILE lists them, --allow-empty lets it pass"
    assert line == f"sb-query: error: bad.mgf: none of 2 spectra can be used ({reasons}); {advice}"
    # no hits, but the table that says why
    assert not (files / "h.tsv").exists()
    assert len((files / "r.tsv").read_text().splitlines()) == 3
    call("sb-embed-spectra", "bad.mgf", "--model", "model.safetensors", "-o", "s.h5", status=1)
    assert not (files / "s.h5").exists()
    for how in ("--by=record", "--by=molecule", "--parts=2"):
        call("sb-split", "bad.mgf", how, "--rejects", "q.tsv", "--force", "-o", "p/", status=1)
        assert list((files / "p").iterdir()) == []
        assert len((files / "q.tsv").read_text().splitlines()) == 3


def test_allow_empty_lets_it_pass(call, files):
    rows, stderr = query(call, "wide.mgf", "--allow-empty")
    assert len(rows) == 1
    assert "1 spectra read, 1 rejected" in stderr
    call("sb-embed-spectra", "wide.mgf", "--model", "model.safetensors", "--allow-empty", "-o", "s.h5")
    # embeddings of which none can be searched are the same
    query(call, "s.h5", status=1)
    assert query(call, "s.h5", "--allow-empty")[0] == rows


def test_one_usable_record_is_enough(call, files):
    (files / "one.mgf").write_text(WIDE + CONTRADICTORY.replace("positive", "negative"))
    rows, _ = query(call, "one.mgf")
    assert [row["id"] for row in rows] == ["", "ferulic"]


def test_a_shard_without_a_usable_record_is_none(call, files):
    (files / "one.mgf").write_text(WIDE + CONTRADICTORY.replace("positive", "negative"))
    whole, _ = query(call, "one.mgf")
    parts = [query(call, "one.mgf", "--shard", f"{i}/2", "-o", f"h{i}.tsv") for i in (1, 2)]
    assert "1 spectra read, 1 rejected" in parts[0][1]
    merged = call("sb-merge", "h2.tsv", "h1.tsv", "-o", "-").stdout.decode()
    assert list(csv.DictReader(io.StringIO(merged), delimiter="\t")) == whole
    call("sb-embed-spectra", "one.mgf", "--model", "model.safetensors", "--shard", "1/2", "-o", "s1.h5")
    query(call, "wide.mgf", "--shard", "1/1", status=1)


def test_shards_by_other_rules_do_not_go_together(call, files):
    (files / "one.mgf").write_text(WIDE + CONTRADICTORY)
    query(call, "one.mgf", "--shard", "1/2", "-o", "h1.tsv")
    query(call, "one.mgf", "--shard", "2/2", "--repair", "-o", "h2.tsv")
    done = call("sb-merge", "h1.tsv", "h2.tsv", "-o", "h.tsv", status=3)
    assert b"options" in done.stderr
    # a rule that is named as it is anyway is no other rule, nor is what may be empty
    query(
        call,
        "one.mgf",
        "--shard",
        "2/2",
        "--isolation-width",
        "10",
        "--allow-empty",
        "--max-record-size",
        "64M",
        "-o",
        "h3.tsv",
    )
    call("sb-merge", "h1.tsv", "h3.tsv", "-o", "h.tsv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("BEGIN IONS\nMSLEVEL=1\n50 1\nEND IONS\n", "holds no spectra of MS2"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--group-by", "name"], ["--candidates", "lists.tsv"]])
def test_a_file_without_a_record(call, files, content, said, options):
    """It is said once, also where the file is read twice."""
    (files / "s.mgf").write_text(content)
    (files / "lists.tsv").write_text("query_id\tsmiles\na\tCCO\n")
    rows, stderr = query(call, "s.mgf", *options)
    assert rows == []
    assert stderr.count(f"sb-query: s.mgf {said}\n") == 1
    assert stderr.count("1 spectra skipped (MS1)\n") == content.count("MSLEVEL=1")
    assert "0 spectra read, 0 rejected, 0 written" in stderr


def test_an_adduct_with_a_structure_stays_unasked_but_can_be_learned_from(call, files):
    text = f"BEGIN IONS\nTITLE=b\nADDUCT=[M+H]+\nSMILES={FERULIC}\n50 1\nEND IONS\n"
    (files / "s.mgf").write_text(text + CONTRADICTORY.replace("positive", "negative"))
    query(call, "s.mgf", "-o", "h.tsv")
    done = call("sb-evaluate", "h.tsv", "--truth", "s.mgf", "--show", "2")
    assert "1 given a precursor by adduct and structure (b)" in done.stderr.decode()
    # what could not be asked is no miss
    assert "1 spectra of 1 molecules" in done.stdout.decode()


SILENT = """BEGIN IONS
TITLE=dimer
PEPMASS=411.1050
134.0373 100
END IONS
BEGIN IONS
TITLE=says
PEPMASS=195.0652
ADDUCT=[M+H]+
134.0373 100
END IONS
"""


@pytest.fixture
def silent(files):
    (files / "silent.mgf").write_text(SILENT)
    return files


def test_adducts_of_a_file_are_tried_and_the_hits_say_which(call, silent):
    rows, _ = query(call, "silent.mgf")
    assert [(row["id"], row["adduct"]) for row in rows] == [("", ""), ("ferulic", "[M+H]+")]
    rows, stderr = query(call, "silent.mgf", "--adducts", "[M+H]+, 2M+Na, [M+Cu-H]+")
    assert [(row["id"], row["adduct"]) for row in rows] == [("ferulic", "[2M+Na]+"), ("ferulic", "[M+H]+")]
    assert "2 spectra read, 0 rejected" in stderr


def test_a_record_that_says_another_adduct_or_polarity_is_rejected(call, silent):
    rows, stderr = query(call, "silent.mgf", "--adducts", "[2M+Na]+")
    assert [(row["id"], row["reason"]) for row in rows] == [("ferulic", ""), ("", "contradictory charge")]
    assert "1 rejected (1 contradictory charge)" in stderr
    rows, _ = query(call, "silent.mgf", "--polarity", "negative", "--rejects", "r.tsv")
    assert [row["reason"] for row in rows] == ["no candidate within 10 ppm", "contradictory charge"]
    assert (silent / "r.tsv").read_text().splitlines()[1].endswith("polarity negative, adduct [M+H]+")


def test_embeddings_are_searched_with_adducts_too(call, silent):
    call("sb-embed-spectra", "silent.mgf", "--model", "model.safetensors", "-o", "s.h5", "-q")
    adducts = ("--adducts", "[M+H]+,[2M+Na]+")
    from_spectra, _ = query(call, "silent.mgf", *adducts)
    from_embeddings, _ = query(call, "s.h5", *adducts)
    assert from_embeddings == from_spectra
    rows, _ = query(call, "s.h5", "--polarity", "negative")
    assert [row["reason"] for row in rows] == ["no candidate within 10 ppm", "contradictory charge"]


def test_groups_try_the_adducts_that_suit_all(call, silent):
    one = "BEGIN IONS\nTITLE={}\nPEPMASS=411.1050\nFEATURE=1\n{}134.0373 100\nEND IONS\n"
    (silent / "group.mgf").write_text(one.format("a", "") + one.format("b", "CHARGE=1+\n"))
    (row,), _ = query(call, "group.mgf", "--group-by", "feature", "--adducts", "[M-H]-,[2M+Na]+,[M+H]+")
    assert (row["query_id"], row["id"], row["adduct"]) == ("1", "ferulic", "[2M+Na]+")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--adducts", "nonsense"), "unknown adduct 'nonsense'"),
        (("--adducts", "[M+H]+,"), "unknown adduct ''"),
        (("--adducts", "[M+H]+", "--polarity", "negative"), "none of the adducts has the polarity"),
        (("--polarity", "both"), "'both' is not one of"),
    ],
)
def test_what_cannot_be_said_of_a_file(call, silent, options, text):
    _, stderr = query(call, "silent.mgf", *options, status=2)
    assert text in stderr


USI = "mzspec:MSV000012345:run1:scan:{}"


def test_identifiers_of_spectra_stand_behind_their_hits(call, silent):
    blocks = SILENT.replace("TITLE=dimer\n", f"TITLE=dimer\nUSI={USI.format(1)}\n")
    (silent / "usi.mgf").write_text(blocks + f"BEGIN IONS\nTITLE=bad\nUSI={USI.format(3)}\nPEPMASS=0\n50 1\nEND IONS\n")
    rows, _ = query(call, "usi.mgf", "--repair")
    assert list(rows[0])[-3:] == ["record", "repaired", "usi"]
    assert [row["usi"] for row in rows] == [USI.format(1), "", USI.format(3)]
    call(
        "sb-query", "usi.mgf", "--index", "i.h5", "--model", "model.safetensors", "-o", "usi.jsonl", "--format", "jsonl"
    )
    assert [row.usi for row in read_hits(silent / "usi.jsonl")] == [USI.format(1), "", USI.format(3)]
    with open(silent / "usi.mgf", "rb") as file:
        unchanged = identify(file, index=silent / "i.h5", model=silent / "model.safetensors")
        assert [row.usi for row in unchanged] == [USI.format(1), "", USI.format(3)]


def test_identifiers_of_a_group_and_of_spectra_in_memory(call, silent):
    one = "BEGIN IONS\nTITLE={0}\nPEPMASS=195.0652\nADDUCT=[M+H]+\nFEATURE=1\nUSI={1}\n134.0373 100\nEND IONS\n"
    (silent / "group.mgf").write_text("".join(one.format(i, USI.format(i)) for i in (1, 2)))
    (row,), _ = query(call, "group.mgf", "--group-by", "feature")
    assert (row["query_id"], row["usi"]) == ("1", f"{USI.format(1)};{USI.format(2)}")
    spectra = read_spectra(silent / "group.mgf")
    hits = identify(spectra, index=silent / "i.h5", model=silent / "model.safetensors")
    assert hits.columns[-1] == "usi"
    assert [query.value("usi") for query in hits] == [USI.format(1), USI.format(2)]
