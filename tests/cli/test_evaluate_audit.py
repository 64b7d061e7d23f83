"""sb-evaluate --audit on the two kinds of files that structures come from."""

import csv

import numpy as np
import pytest

from specbridge_tools.molecules.chemistry import standardise

CHAINS = ("C", "CC", "CCC", "CO", "CN", "CCO", "CC(=O)O", "ClCC", "NC(=O)", "BrCC", "OC", "N#CC")
RINGS = ("c1ccccc1", "c1ccncc1", "c1ccoc1")
KEKULE = ("C1=CC=CC=C1", "C1=CC=NC=C1", "C1=COC=C1")
COLUMNS = ("query_id", "rank", "score", "inchikey14", "n_candidates", "record")


@pytest.fixture
def write(tmp_path):
    """Write spectra, hits, a candidate table and a table of molecules; truths as `spell` writes them."""
    drawn = np.random.default_rng(0)

    def files(truth_rings, *, n=16, size=6):
        plain = [(chain, i) for chain in CHAINS for i in range(3)]
        keys = {pair: standardise(f"{pair[0]}{RINGS[pair[1]]}").inchikey14 for pair in plain}
        spectra, hits, table, molecules = [], ["\t".join(COLUMNS)], ["list_id\tsmiles"], ["id\tsmiles"]
        truths = plain[:n]
        for number, truth in enumerate(truths):
            spelled = f"{truth[0]}{truth_rings[truth[1]]}"
            decoys = [plain[n:][j] for j in drawn.permutation(len(plain) - n)[: size - 1]]
            members = [spelled, *(f"{chain}{RINGS[ring]}" for chain, ring in decoys)]
            table += [f"L{number}\t{members[j]}" for j in drawn.permutation(size)]
            fields = f"TITLE=q{number}\nPEPMASS=150.1\nCHARGE=1+\nCANDIDATES=L{number}\nSMILES={spelled}"
            spectra.append(f"BEGIN IONS\n{fields}\n50.5 1\nEND IONS\n")
            rows = [truth, *decoys]
            hits += [f"q{number}\t{j + 1}\t{-j}\t{keys[row]}\t{size}\t{number + 1}" for j, row in enumerate(rows)]
            molecules.append(f"t{number}\t{spelled}")
        molecules += [f"d{i}\t{chain}{RINGS[ring]}" for i, (chain, ring) in enumerate(plain[n:])]
        for name, lines in (("spectra.mgf", spectra), ("hits.tsv", hits), ("c.tsv", table), ("m.tsv", molecules)):
            (tmp_path / name).write_text("\n".join(lines) + "\n")
        return ("hits.tsv", "--truth", "spectra.mgf", "--resamples", "200")

    return files


def audited(text):
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return {(row["ranking"], row["metric"]): row for row in rows if row["subset"] == "audit"}


@pytest.mark.parametrize("audit", ["c.tsv", "m.tsv"])
def test_the_alarm(call, write, audit):
    done = call("sb-evaluate", *write(KEKULE), "--audit", audit)
    found = audited(done.stdout.decode())
    assert found["spelling", "alarm"]["value"] == "1"
    assert float(found["spelling_as_given", "recall@1"]["value"]) > 0.9
    assert float(found["spelling_marks", "recall@1"]["value"]) > 0.9
    assert found["random", "recall@1"]["value"] == "0.166667"
    assert found["spelling_as_given", "recall@1"]["n_molecules"] == "16"
    (line, closing) = done.stderr.decode().splitlines()
    assert line.startswith("audit: ALARM: the spelling of SMILES gives truths away: ")
    assert closing.startswith("16 spectra read")


@pytest.mark.parametrize("audit", ["c.tsv", "m.tsv"])
def test_silence(call, write, audit):
    done = call("sb-evaluate", *write(RINGS), "--audit", audit)
    assert audited(done.stdout.decode())["spelling", "alarm"]["value"] == "0"
    assert b"ALARM" not in done.stderr
    assert b"audit: spelling gives nothing away" in done.stderr


@pytest.mark.slow
def test_without_it_nothing_changes(run, write):
    arguments = write(KEKULE)
    plain = run("sb-evaluate", *arguments).stdout
    with_audit = run("sb-evaluate", *arguments, "--audit", "c.tsv").stdout
    assert with_audit.startswith(plain)
    assert audited(plain.decode()) == {}
    assert run("sb-evaluate", *arguments, "--audit", "c.tsv", "--threads", "1").stdout == with_audit
    assert with_audit[len(plain) :].count(b"\n") == 6


@pytest.mark.slow
def test_lists_that_cannot_be_audited(call, write, tmp_path):
    arguments = write(KEKULE)
    (tmp_path / "other.tsv").write_text("list_id\tsmiles\nelsewhere\tCCO\n")
    assert (
        b"holds no complete list with its truth"
        in call("sb-evaluate", *arguments, "--audit", "other.tsv", status=1).stderr
    )
    hits = (tmp_path / "hits.tsv").read_text().replace("\t6\t", "\t60\t")
    (tmp_path / "hits.tsv").write_text(hits)
    assert b"--top 0" in call("sb-evaluate", *arguments, "--audit", "m.tsv", status=1).stderr
    # the candidate table holds its lists whole, whatever the hits show
    done = call("sb-evaluate", *arguments, "--audit", "c.tsv")
    assert b"ALARM" in done.stderr
    assert call("sb-evaluate", *arguments, "--audit", "-", status=2).stderr.count(b"stdin") == 1
