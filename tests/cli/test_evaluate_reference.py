"""sb-evaluate: figures apart by what reference spectra know of the true molecule."""

import csv
import io

import pytest
from records_of_reference import mgf

HITS = "query_id\trank\tscore\tinchikey14\tsmiles\n"


@pytest.fixture
def subsets(call, tmp_path):
    """{subset: recall@1 over spectra} of three queries of phenacetin and one of benzoic acid."""
    (tmp_path / "standards.mgf").write_text(mgf("R1", "R3"))
    call("sb-build-reference", "standards.mgf", "-o", "standards.h5", "--encoder", "toy", "-q")
    negative = mgf("R1", charge="1-", adduct="[M-H]-", mz=178.0874).replace("=R1", "=N1")
    (tmp_path / "truth.mgf").write_text(mgf("R1", "R2", "R5") + negative)
    right, wrong = "CPJSUEIXXCENMM\tCCOc1ccc(NC(C)=O)cc1", "AAAAAAAAAAAAAA\tCCO"
    rows = [("R1", right), ("R2", wrong), ("R5", wrong), ("N1", right)]
    (tmp_path / "hits.tsv").write_text(HITS + "".join(f"{query}\t1\t0.5\t{molecule}\n" for query, molecule in rows))

    def invoke(*options):
        done = call("sb-evaluate", "hits.tsv", "--truth", "truth.mgf", "--resamples", 10, "-q", *options)
        table = csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t")
        chosen = [
            row for row in table if (row["ranking"], row["metric"], row["over"]) == ("score", "recall@1", "spectra")
        ]
        return {row["subset"]: float(row["value"]) for row in chosen if row["subset"].startswith(("all", "reference="))}

    return invoke


def test_the_kinds_are_stated_apart(subsets, monkeypatch, tmp_path):
    monkeypatch.setattr("specbridge_tools.pretrained.REFERENCE", tmp_path / "missing.h5")
    assert subsets("--reference", "standards.h5") == {
        "all": 0.5,
        "reference=same_ion": 1,
        "reference=same_polarity": 0,
        "reference=other_polarity": 1,
        "reference=none": 0,
    }
    left_out = subsets("--reference", "standards.h5", "--leave-out", "accession")
    assert left_out == {"all": 0.5, "reference=same_polarity": 0, "reference=other_polarity": 1, "reference=none": 0.5}
    assert subsets("--reference", "standards.h5", "--leave-out", "molecule") == {"all": 0.5, "reference=none": 0.5}
    assert subsets() == {"all": 0.5}


def test_the_reference_that_ships_counts_unless_there_is_none(subsets):
    assert set(subsets("--reference", "none")) == {"all"}
    assert len(subsets()) > 1
