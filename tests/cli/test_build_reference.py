"""sb-build-reference: files, pipes, shards, exit status, and what sb-merge and sb-info make of its files."""

import json
import shutil

import pytest
from records_of_reference import RECORDS, mgf

from specbridge_tools.reference.file import read_references


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "all.mgf").write_text(mgf(*RECORDS))
    (tmp_path / "some.mgf").write_text(mgf("R1", "R2") + mgf("R1", smiles="CCO").replace("=R1", "=R9"))
    (tmp_path / "rest.mgf").write_text(mgf("R3", "R2", "R4", "R5"))
    return tmp_path


def build(call, *arguments, **options):
    return call("sb-build-reference", *arguments, "--encoder", "toy", **options)


def test_several_files_are_one_reference(folder, call):
    stderr = build(call, "some.mgf", "rest.mgf", "-o", "ref.h5", "--rejects", "rejects.tsv").stderr.decode()
    assert "7 spectra read, 2 rejected (1 structure does not fit the precursor m/z, 1 accession repeated)" in stderr
    assert "5 written" in stderr
    assert stderr.endswith("; 3 molecules\n")
    assert (folder / "rejects.tsv").read_text().splitlines()[1].startswith("some.mgf\t3\t")
    build(call, "all.mgf", "-o", "all.h5")
    assert (folder / "ref.h5").read_bytes() == (folder / "all.h5").read_bytes()


@pytest.mark.slow
def test_through_pipes(folder, run):
    build(run, "all.mgf", "-o", "ref.h5")
    done = build(run, "-", stdin=(folder / "all.mgf").read_bytes())
    assert done.stdout == (folder / "ref.h5").read_bytes()


@pytest.mark.slow
def test_shards_merge_to_the_bytes_of_the_whole(folder, call):
    build(call, "some.mgf", "rest.mgf", "-o", "whole.h5")
    for i in (3, 1, 2):
        build(call, "some.mgf", "rest.mgf", "-o", f"{i}.h5", "--shard", f"{i}/3")
    done = call("sb-merge", "2.h5", "3.h5", "1.h5", "-o", "merged.h5")
    assert b"3 parts of reference: 6 spectra read, 0 rejected, 5 written" in done.stderr
    assert (folder / "merged.h5").read_bytes() == (folder / "whole.h5").read_bytes()
    call("sb-merge", "2.h5", "1.h5", "-o", "merged.h5", "--force", status=3)


def test_what_exists_is_skipped(folder, call):
    build(call, "all.mgf", "-o", "ref.h5", "--skip-existing")
    assert b"exists already" in build(call, "all.mgf", "-o", "ref.h5", "--skip-existing").stderr
    build(call, "some.mgf", "-o", "ref.h5", "--skip-existing", status=3)
    build(call, "all.mgf", "-o", "ref.h5", status=2)


def test_references_of_two_encoders_do_not_merge(folder, call):
    build(call, "all.mgf", "-o", "a.h5")
    call("sb-build-reference", "all.mgf", "-o", "b.h5", "--encoder", "toy:dimension=8")
    done = call("sb-merge", "a.h5", "b.h5", "-o", "c.h5", status=3)
    assert b"a.h5 belongs to toy:dimension=32" in done.stderr


def test_what_sb_info_says(folder, call):
    build(call, "all.mgf", "-o", "ref.h5")
    values = json.loads(call("sb-info", "ref.h5", "--format", "json").stdout)
    assert values["kind"] == "reference"
    assert (values["n"], values["n_molecules"], values["n_peaks"]) == (5, 3, 12)
    assert (values["positive"], values["negative"]) == (4, 1)
    assert values["licences"] == {"CC0": 4, "CC BY": 1}
    assert values["encoder"] == "toy:dimension=32"


def test_where_nothing_can_be_used(folder, call):
    (folder / "none.mgf").write_text(mgf("R1", smiles=""))
    done = build(call, "none.mgf", "-o", "ref.h5", status=1)
    assert b"none of 1 spectra can be used (1 no structure)" in done.stderr
    assert not (folder / "ref.h5").exists()
    build(call, "none.mgf", "-o", "ref.h5", "--allow-empty")
    assert len(read_references(["ref.h5"])[0]) == 0
    build(call, "none.mgf", "-o", "strict.h5", "--strict", status=1)


def test_a_damaged_file_is_named(folder, call):
    build(call, "all.mgf", "-o", "ref.h5")
    shutil.copy("ref.h5", "cut.h5")
    (folder / "cut.h5").write_bytes((folder / "ref.h5").read_bytes()[:20_000])
    assert b"cut.h5" in call("sb-info", "cut.h5", status=1).stderr
