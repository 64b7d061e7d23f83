"""sb-query and sb-rerank with reference spectra."""

import csv
import io

import pytest
from reranking_files import MOLECULES, SPECTRA, make_index, make_models

from specbridge_tools.hits.hits import COLUMNS, REFERENCE, RERANKED

RECORD = """BEGIN IONS
TITLE={title}
PEPMASS={mz}
CHARGE=1+
ADDUCT={adduct}
SMILES={smiles}
LICENSE=CC0
{peaks}
END IONS

"""
STANDARDS = "".join(
    RECORD.format(title=title, mz=mz, adduct=adduct, smiles=smiles, peaks=peaks)
    for title, mz, adduct, smiles, peaks in (
        ("high", 152.0706, "[M+H]+", "CC(=O)Nc1ccc(O)cc1", "65.0386 55\n93.0335 12\n110.0600 100"),
        ("sodium", 174.0526, "[M+Na]+", "COC(=O)c1ccccc1N", "77.0386 40\n105.0335 70\n120.0444 100"),
        ("analog", 166.0863, "[M+H]+", "CC(=O)Nc1ccc(OC)cc1", "65.0386 10\n93.0335 12\n110.0600 100\n124.0757 30"),
    )
)


@pytest.fixture(scope="module")
def files(tmp_path_factory, save_toy_model):
    folder = tmp_path_factory.mktemp("reference")
    (folder / "spectra.mgf").write_text(SPECTRA)
    make_index(folder, "molecules", list(MOLECULES), [f"M{i}" for i in range(len(MOLECULES))])
    make_models(folder, save_toy_model)
    return folder


@pytest.fixture
def ask(files, call, tmp_path):
    """Run sb-query on the files, all candidates reported: rows of the table by query."""
    (tmp_path / "standards.mgf").write_text(STANDARDS)
    call("sb-build-reference", "standards.mgf", "-o", "standards.h5", "--encoder", "toy", "-q")
    common = (files / "spectra.mgf", "--index", files / "molecules.index.h5", "--threads", 1, "-q", "--top", 0)

    def invoke(*arguments, model="model.safetensors", name="sb-query", status=0, given=common):
        return call(name, *given, "--model", files / model, *arguments, status=status)

    return invoke


def rows_of(done, query=None):
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t"))
    return [row for row in rows if query is None or row["query_id"] == query]


@pytest.mark.slow
def test_columns_stand_behind_those_of_reranking(ask):
    rows = rows_of(ask("--reference", "standards.h5"))
    assert list(rows[0]) == [*COLUMNS[:3], *RERANKED, *REFERENCE, *COLUMNS[3:]]
    (nothing,) = [row for row in rows if row["query_id"] == "nothing"]
    assert {nothing[name] for name in REFERENCE} == {""}


def test_none_is_as_if_there_were_no_references(ask):
    assert ask("--reference", "none").stdout == ask().stdout
    assert set(REFERENCE).isdisjoint(rows_of(ask("--reference", "none"))[0])


def test_a_candidate_that_was_measured_comes_first(ask):
    before = rows_of(ask(), "high")
    after = rows_of(ask("--reference", "standards.h5"), "high")
    first = after[0]
    assert first["smiles"] == "CC(=O)Nc1ccc(O)cc1"
    assert (first["reference_id"], first["reference_kind"], first["reference_licence"]) == ("high", "same_ion", "CC0")
    assert float(first["reference_similarity"]) > 0.85
    plain = {row["smiles"]: float(row["score"]) for row in before}
    assert float(first["score"]) > plain[first["smiles"]] + 14
    assert {row["smiles"] for row in before} == {row["smiles"] for row in after}


def test_another_ion_of_a_candidate_counts(ask):
    rows = {row["smiles"]: row for row in rows_of(ask("--reference", "standards.h5"), "other")}
    anthranilate = rows["COC(=O)c1ccccc1N"]
    assert (anthranilate["reference_id"], anthranilate["reference_kind"]) == ("sodium", "same_polarity")
    assert all(row["analog_id"] for row in rows.values())
    assert rows["Cc1ccc([N+](=O)[O-])cc1C"]["reference_kind"] == ""


@pytest.mark.slow
@pytest.mark.parametrize(("by", "kinds"), [("accession", {"", "same_polarity"}), ("molecule", {"", "same_polarity"})])
def test_a_spectrum_does_not_find_itself(ask, tmp_path, files, by, kinds):
    text = SPECTRA.replace("TITLE=high\n", "TITLE=high\nSMILES=CC(=O)Nc1ccc(O)cc1\n")
    (tmp_path / "named.mgf").write_text(text)
    given = ("named.mgf", "--index", files / "molecules.index.h5", "--threads", 1, "-q", "--top", 0)
    rows = rows_of(ask("--reference", "standards.h5", "--leave-out", by, given=given), "high")
    assert {row["reference_kind"] for row in rows} <= kinds
    assert "high" not in {row["reference_id"] for row in rows}
    found = rows_of(ask("--reference", "standards.h5", given=given), "high")
    assert "same_ion" in {row["reference_kind"] for row in found}


@pytest.mark.slow
@pytest.mark.parametrize("group", [(), ("--group-by", "feature_id")])
def test_one_step_gives_what_two_give(ask, files, tmp_path, group):
    whole = ask("--reference", "standards.h5", *group)
    (tmp_path / "hits.tsv").write_bytes(ask("--rerank", "0", *group).stdout)
    given = ("hits.tsv", "--spectra", files / "spectra.mgf", "--threads", 1, "-q", *group)
    again = ask("--reference", "standards.h5", name="sb-rerank", given=given)
    assert again.stdout == whole.stdout
    (tmp_path / "hits.tsv").write_bytes(whole.stdout)
    assert ask("--reference", "standards.h5", name="sb-rerank", given=given).stdout == whole.stdout
    assert ask(name="sb-rerank", given=given).stdout == ask(*group).stdout


@pytest.mark.slow
def test_shards_merge_to_the_whole_and_know_their_references(ask, call):
    whole = ask("--reference", "standards.h5").stdout
    for i in (1, 2):
        ask("--reference", "standards.h5", "--shard", f"{i}/2", "-o", f"{i}.tsv")
    assert call("sb-merge", "1.tsv", "2.tsv", "-q").stdout == whole
    ask("--reference", "none", "--shard", "2/2", "-o", "2.tsv", "--force")
    assert b"reference" in call("sb-merge", "1.tsv", "2.tsv", "-q", status=3).stderr


@pytest.mark.slow
def test_the_order_of_files_and_threads_changes_nothing(ask, call, tmp_path):
    whole = ask("--reference", "standards.h5").stdout
    for i in (1, 2):
        call("sb-build-reference", "standards.mgf", "-o", f"{i}.h5", "--encoder", "toy", "-q", "--shard", f"{i}/2")
    for order in (("1.h5", "2.h5"), ("2.h5", "1.h5")):
        assert ask(*(part for file in order for part in ("--reference", file))).stdout == whole
    assert ask("--reference", "standards.h5", "--threads", 2).stdout == whole


def test_a_reference_of_another_encoder_is_refused(ask, call):
    call("sb-build-reference", "standards.mgf", "-o", "other.h5", "--encoder", "toy:dimension=8", "-q")
    assert b"other.h5: belongs to another molecular encoder" in ask("--reference", "other.h5", status=3).stderr


def test_an_empty_reference_works_and_says_so(ask, call, tmp_path):
    (tmp_path / "empty.mgf").write_text("")
    call("sb-build-reference", "empty.mgf", "-o", "empty.h5", "--encoder", "toy", "-q")
    done = ask("--reference", "empty.h5")
    assert b"empty.h5: no reference spectra in it" in done.stderr
    assert [row["score"] for row in rows_of(done)] == [row["score"] for row in rows_of(ask())]


def test_options_that_make_no_sense_together(ask):
    assert b"goes with no other" in ask("--reference", "none", "--reference", "standards.h5", status=2).stderr
    assert b"re-ranked" in ask("--reference", "standards.h5", "--rerank", "0", status=2).stderr
    ask("--reference", "missing.h5", status=1)


def test_every_molecule_of_the_index_is_answered_with_its_evidence(ask):
    rows = rows_of(ask("--reference", "standards.h5"), "low")
    assert len(rows) == len(MOLECULES) - 1
    assert all(0 <= float(row["analog_score"]) <= 1 for row in rows)
