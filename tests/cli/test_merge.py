import pytest

HEADER = "query_id\trank\tscore\tinchikey14\trecord\n"


@pytest.fixture
def parts(tmp_path):
    for i in (1, 2):
        (tmp_path / f"h{i}.tsv").write_text(f"{HEADER}q{i}\t1\t0.5\tAAA\t1\n")
    return ("h1.tsv", "h2.tsv")


def test_hits_in_the_order_given(call, parts, tmp_path):
    done = call("sb-merge", *reversed(parts), "-o", "all.tsv")
    assert (tmp_path / "all.tsv").read_text() == f"{HEADER}q2\t1\t0.5\tAAA\t1\nq1\t1\t0.5\tAAA\t2\n"
    assert done.stdout == b""
    assert done.stderr.decode().startswith("2 parts of hits (tsv): 2 queries read, 0 rejected, 2 written, ")


def test_stdin_and_stdout(run, parts, tmp_path):
    done = run("sb-merge", "-", parts[1], "-q", stdin=(tmp_path / parts[0]).read_bytes())
    assert done.stdout.decode() == f"{HEADER}q1\t1\t0.5\tAAA\t1\nq2\t1\t0.5\tAAA\t2\n"
    assert done.stderr == b""


def test_rejected_spectra_are_told(call, tmp_path):
    (tmp_path / "a.mgf").write_text(
        "BEGIN IONS\nTITLE=a\nPEPMASS=100.5\n50 1\nEND IONS\nBEGIN IONS\nTITLE=b\n50 1\nEND IONS\n"
    )
    done = call("sb-merge", "a.mgf", "a.mgf", "-o", "all.mgf", "--rejects", "r.tsv")
    assert b"2 parts of spectra: 4 spectra read, 2 rejected" in done.stderr
    assert len((tmp_path / "r.tsv").read_text().splitlines()) == 3
    assert (tmp_path / "all.mgf").read_text().count("TITLE=a") == 2
    call("sb-merge", "a.mgf", "-o", "strict.mgf", "--strict", status=1)
    assert not (tmp_path / "strict.mgf").exists()


@pytest.mark.parametrize(
    ("others", "status", "message"),
    [
        (("m.tsv",), 3, "h1.tsv holds hits (tsv), m.tsv holds molecules (tsv)"),
        (("other.tsv",), 3, "other.tsv has other columns than h1.tsv"),
        (("cut.tsv",), 1, "cut.tsv: line 2: 1 fields where the header has 5"),
        (("empty",), 1, "empty: is empty"),
        (("missing",), 1, "missing: cannot be read"),
        (("-", "-"), 2, "only one part can be stdin"),
        (("-o", "m.tsv"), 2, "m.tsv: exists already"),
    ],
)
def test_what_goes_wrong_leaves_nothing_behind(call, parts, tmp_path, others, status, message):
    (tmp_path / "m.tsv").write_text("id\tsmiles\n1\tCCO\n")
    (tmp_path / "other.tsv").write_text("query_id\tscore\tinchikey14\n")
    (tmp_path / "cut.tsv").write_text(f"{HEADER}q1\n")
    (tmp_path / "empty").touch()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = call("sb-merge", parts[0], *others, *(() if "-o" in others else ("-o", "all")), status=status)
    assert message in done.stderr.decode()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_no_parts_is_wrong_usage(call):
    assert b"PART" in call("sb-merge", "-o", "all", status=2).stderr
