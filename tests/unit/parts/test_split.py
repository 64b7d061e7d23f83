import gzip
import re

import pytest

from specbridge_tools.errors import DataError, FormatError, UsageError
from specbridge_tools.parts.outputs import part_outputs
from specbridge_tools.parts.records import open_records
from specbridge_tools.parts.split import parts_table, split_into_folds, split_into_ranges
from specbridge_tools.records import Tally


def split(path, prefix, *, force=False, **settings):
    """Split by the settings: into stretches where a size or number is given, else into folds."""
    tally = Tally()
    with open_records(path) as records, part_outputs(prefix, records.suffix, force=force) as outputs:
        function = split_into_ranges if {"size", "n_parts"} & set(settings) else split_into_folds
        return function(records, outputs, tally, **settings), tally


def titles(path):
    return re.findall(r"TITLE=(.*)", path.read_text())


def test_similar_molecules_stay_together(spectra_file, tmp_path):
    for seed in range(4):
        parts, tally = split(spectra_file, tmp_path / "s", by="structure", fractions=(0.5, 0.5), seed=seed, force=True)
        train, val = (titles(tmp_path / f"s.{name}.mgf") for name in ("train", "val"))
        assert sorted(train + val) == sorted(f"{i}.{k}" for k in range(3) for i in range(7))
        molecules = [{title.split(".")[0] for title in part} for part in (train, val)]
        assert not molecules[0] & molecules[1]
        assert {"0", "1", "2"} <= molecules[0] or {"0", "1", "2"} <= molecules[1]
        assert [part.n_molecules for part in parts] == [len(m) for m in molecules]
        assert sum(part.n_groups for part in parts) == 5
        assert (tally.n_read, tally.n_written) == (22, 21)
        assert tally.reasons == {"no structure": 1}


def test_scaffolds_stay_together(spectra_file, tmp_path):
    parts, _ = split(spectra_file, tmp_path / "s", by="scaffold", fractions=(1, 1))
    # acyclic ones together, benzene twice, caffeine's, the sugar's
    assert sum(part.n_groups for part in parts) == 4


def test_by_molecule_an_inchikey_is_enough(tmp_path):
    record = "BEGIN IONS\nTITLE={}\nPEPMASS=200.5\nINCHIKEY={}AAAAAAAAAAAAA-UHFFFAOYSA-N\n100.25 1\nEND IONS\n\n"
    (tmp_path / "s.mgf").write_text("".join(record.format(f"{key}{i}", key) for key in "ABCD" for i in range(3)))
    parts, tally = split(tmp_path / "s.mgf", tmp_path / "p", by="molecule", fractions=(1, 1, 2))
    assert [part.name for part in parts] == ["train", "val", "test"]
    assert [part.n_molecules for part in parts] == [1, 1, 2]
    assert tally.n_written == 12
    with pytest.raises(DataError, match="no spectra to split"):
        split(tmp_path / "s.mgf", tmp_path / "q", by="structure", fractions=(1, 1))
    assert not list(tmp_path.glob("q*"))


def test_by_record_no_structure_is_needed(spectra_file, tmp_path):
    parts, tally = split(spectra_file, tmp_path / "s", by="record", fractions=(0.5, 0.5))
    assert sorted(part.n_records for part in parts) == [11, 11]
    assert tally.n_rejected == 0
    assert list(parts_table(parts))[1] == f"train\t{tmp_path}/s.train.mgf\t11\t\t"


def test_the_seed_decides_and_nothing_else(spectra_file, tmp_path):
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2), ("d", 3)):
        split(spectra_file, tmp_path / name, by="molecule", fractions=(1, 1), seed=seed)
        found.append((tmp_path / f"{name}.train.mgf").read_bytes())
    assert found[0] == found[1]
    assert len(set(found)) > 1


@pytest.mark.parametrize(
    ("settings", "sizes"),
    [({"n_parts": 4}, [6, 6, 5, 5]), ({"size": 10}, [10, 10, 2]), ({"size": 22}, [22]), ({"n_parts": 1}, [22])],
)
def test_stretches_keep_every_record_in_order(spectra_file, tmp_path, settings, sizes):
    parts, _ = split(spectra_file, tmp_path / "p", **settings)
    assert [part.n_records for part in parts] == sizes
    assert [part.name for part in parts] == [f"{i:04d}" for i in range(1, len(sizes) + 1)]
    found = [title for part in sorted(tmp_path.glob("p.*.mgf")) for title in titles(part)]
    assert found == titles(spectra_file)


def test_parts_of_a_table_are_its_lines_below_its_header(table_file, tmp_path):
    split(table_file, f"{tmp_path}/parts/", size=3)
    texts = [(tmp_path / f"parts/000{i}.tsv").read_text() for i in (1, 2, 3)]
    header, *rows = table_file.read_text().splitlines(keepends=True)
    assert texts == [header + "".join(rows[i : i + 3]) for i in (0, 3, 6)]


def test_folds_of_a_table(table_file, tmp_path):
    parts, _ = split(table_file, tmp_path / "p", by="structure", fractions=(0.5, 0.5))
    rows = [set((tmp_path / f"p.{name}.tsv").read_text().splitlines()[1:]) for name in ("train", "val")]
    assert rows[0] | rows[1] == set(table_file.read_text().splitlines()[1:])
    assert not rows[0] & rows[1]
    assert sum(part.n_molecules for part in parts) == 7


def test_rows_with_line_ends_in_quotes_stay_whole(tmp_path):
    text = 'id,smiles,note\n1,CCO,"two\nlines"\n2,CCCO,\n\n3,CCC,"a ""b"""\n'
    (tmp_path / "m.csv").write_text(text)
    split(tmp_path / "m.csv", tmp_path / "p", size=1)
    assert (tmp_path / "p.0001.csv").read_text() == 'id,smiles,note\n1,CCO,"two\nlines"\n'
    assert (tmp_path / "p.0003.csv").read_text() == 'id,smiles,note\n3,CCC,"a ""b"""\n'


def test_smi_and_sdf(tmp_path):
    from rdkit import Chem

    (tmp_path / "m.dat").write_text("CCO ethanol\n\nc1ccccc1 benzene\n")
    split(tmp_path / "m.dat", tmp_path / "p", size=1)
    assert (tmp_path / "p.0002.smi").read_text() == "c1ccccc1 benzene\n"
    blocks = [Chem.MolToMolBlock(Chem.MolFromSmiles(text)) + "$$$$\n" for text in ("CCO", "CCN")]
    (tmp_path / "n.dat").write_text("".join(blocks))
    split(tmp_path / "n.dat", tmp_path / "q", size=1)
    assert [(tmp_path / f"q.000{i}.sdf").read_text() for i in (1, 2)] == blocks


def test_gzip_is_seen_through(spectra_file, tmp_path):
    (tmp_path / "s.dat").write_bytes(gzip.compress(spectra_file.read_bytes()))
    split(tmp_path / "s.dat", tmp_path / "p", n_parts=2)
    assert len(titles(tmp_path / "p.0001.mgf")) == 11


@pytest.mark.parametrize("settings", [{"n_parts": 2}, {"size": 11}])
def test_what_follows_the_last_usable_record_is_counted(spectra_file, tmp_path, settings):
    (tmp_path / "s.mgf").write_text(spectra_file.read_text() + "BEGIN IONS\nTITLE=broken\nPEPMASS=x\nEND IONS\n")
    tally = Tally()
    with open_records(tmp_path / "s.mgf") as records, part_outputs(tmp_path / "p", records.suffix) as outputs:
        split_into_ranges(records, outputs, tally, **settings)
    assert (tally.n_read, tally.n_rejected, tally.n_written) == (23, 1, 22)


def test_more_parts_than_records(spectra_file, tmp_path):
    with pytest.raises(DataError, match="22 spectra cannot fill 23 parts"):
        split(spectra_file, tmp_path / "p", n_parts=23)
    assert not list(tmp_path.glob("p*"))


def test_nothing_to_split(tmp_path):
    (tmp_path / "empty.mgf").touch()
    for settings in ({"size": 3}, {"n_parts": 3}):
        with pytest.raises(DataError, match="no spectra to split"):
            split(tmp_path / "empty.mgf", tmp_path / "p", **settings)


def test_existing_parts_are_refused_and_all_new_ones_withdrawn(spectra_file, tmp_path):
    (tmp_path / "p.0002.mgf").write_text("mine")
    with pytest.raises(UsageError, match=r"p\.0002\.mgf: exists already"):
        split(spectra_file, tmp_path / "p", size=5)
    assert [path.name for path in sorted(tmp_path.glob("*p.*"))] == ["p.0002.mgf"]
    assert (tmp_path / "p.0002.mgf").read_text() == "mine"


def test_parts_of_an_earlier_larger_split_are_refused(spectra_file, tmp_path):
    split(spectra_file, tmp_path / "p", n_parts=4)
    with pytest.raises(UsageError, match=r"p\.0003\.mgf: is left from an earlier split"):
        split(spectra_file, tmp_path / "p", n_parts=2, force=True)


def test_no_parts_on_stdout(spectra_file):
    with pytest.raises(UsageError, match="parts cannot go to stdout"):
        split(spectra_file, "-", size=1)


def test_binary_files_are_no_records(tmp_path):
    (tmp_path / "x").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
    with pytest.raises(FormatError, match="HDF5 file"):
        split(tmp_path / "x", tmp_path / "p", size=1)
