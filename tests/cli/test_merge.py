import csv

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


@pytest.mark.slow
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


def scores(path):
    rows = csv.DictReader(path.read_text().splitlines(), delimiter="\t")
    return {(row["query_id"], row["record"], row["inchikey14"]): float(row["score"]) for row in rows}


@pytest.mark.slow
def test_parts_searched_one_by_one_merge_to_the_hits_of_the_whole(run, tmp_path):
    """What an array of jobs does: split, search each part, merge; every kind of file on the way."""
    smiles = ["CCO", "CCCO", "CC(C)O", "NCC(=O)O", "CC(N)C(=O)O", "c1ccccc1", "Cc1ccccc1", "Oc1ccccc1"]
    blocks = [
        f"BEGIN IONS\nTITLE=q{i % 6}\nPEPMASS={100 + i}.5\nADDUCT=[M+H]+\nCHARGE=1+\nSMILES={text}\n"
        f"{40 + i}.05 100\n{60 + 3 * i}.25 50\nEND IONS\n"
        for i, text in enumerate(smiles)
    ]
    (tmp_path / "s.mgf").write_text("".join(blocks))
    (tmp_path / "v.mgf").write_text("".join(blocks[6:]))
    (tmp_path / "t.mgf").write_text("".join(blocks[:6]))
    (tmp_path / "m.tsv").write_text("id\tsmiles\n" + "".join(f"{i}\t{text}\n" for i, text in enumerate(smiles)))
    run("sb-split", "m.tsv", "--parts", "2", "-o", "m")
    for part in ("m.0001", "m.0002"):
        run("sb-embed-mols", f"{part}.tsv", "-o", f"{part}.h5", "--encoder", "toy", "--threads", "1")
        run("sb-build-index", f"{part}.h5", "-o", f"{part}.index")
    run("sb-merge", "m.0001.h5", "m.0002.h5", "-o", "m.h5")
    run("sb-merge", "m.0001.index", "m.0002.index", "-o", "m.index")
    encoder = "dreams:d_peak=8,d_fourier=24,n_heads=2,fourier_hidden=16,n_layers=1,n_peaks=8"
    training = (
        "--validation",
        "v.mgf",
        "--molecules",
        "m.h5",
        "--epochs",
        "1",
        "--tolerance",
        "1e6ppm",
        "--threads",
        "1",
    )
    run("sb-finetune", "t.mgf", *training, "--spectral-encoder", encoder, "-o", "model")
    query = ("--index", "m.index", "--model", "model", "--tolerance", "100Da", "--top", "0")
    run("sb-query", "s.mgf", *query, "-o", "whole.tsv")
    run("sb-split", "s.mgf", "--size", "3", "-o", "s")
    parts = sorted(path.stem for path in tmp_path.glob("s.0*.mgf"))
    for part in parts:
        run("sb-query", f"{part}.mgf", *query, "-o", f"{part}.tsv")
        run("sb-embed-spectra", f"{part}.mgf", "--model", "model", "-o", f"{part}.h5")
    run("sb-merge", *(f"{part}.tsv" for part in parts), "-o", "merged.tsv")
    # the vector of a spectrum may differ in its last bits with the others of its batch
    merged, whole = (scores(tmp_path / name) for name in ("merged.tsv", "whole.tsv"))
    assert merged == {row: pytest.approx(score, abs=1e-3) for row, score in whole.items()}
    assert len(whole) == 64
    run("sb-merge", *(f"{part}.h5" for part in parts), "-o", "s.h5")
    run("sb-query", "s.h5", *query, "-o", "embedded.tsv")
    assert scores(tmp_path / "embedded.tsv") == {row: pytest.approx(score, abs=1e-3) for row, score in whole.items()}
    # two queries have the same id twice; they are told apart by record
    done = run("sb-evaluate", "merged.tsv", "--truth", "s.mgf", "--show", "9")
    assert b"8 spectra of 8 molecules" in done.stdout


def test_hits_with_the_row_names_of_r(call, tmp_path):
    header = '"query_id"\t"score"\t"inchikey14"\t"record"\n'
    (tmp_path / "r.tsv").write_text(header + '"1"\t"a"\t0.5\t"RYYVLZVUVIJVGH"\t1\n"2"\t"b"\tNA\tNA\t2\n')
    call("sb-merge", "r.tsv", "-o", "m.tsv")
    lines = ("query_id\tscore\tinchikey14\trecord", "a\t0.5\tRYYVLZVUVIJVGH\t1", "b\t\t\t2")
    assert (tmp_path / "m.tsv").read_text() == "\n".join(lines) + "\n"
