"""Shards: the same stretches of a file in every run, whatever it holds."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.errors import UsageError
from specbridge_tools.molecules.reader import count_molecules, read_raw
from specbridge_tools.shards import RecordRange, Shard, array_text, require_file
from specbridge_tools.spectra.reader import count_spectra, read_spectra

MGF = """IONMODE=positive
{}
BEGIN IONS
TITLE=a
PEPMASS=100.5
50.1 1
END IONS

BEGIN IONS
TITLE=IONS of b
PEPMASS=101.5
60.1 2
END IONS
stray text
BEGIN IONS
PEPMASS=102.5
MSLEVEL=1
60.1 2
END IONS
BEGIN IONS
TITLE=never ended
BEGIN IONS
PEPMASS=oops
70.1 3
END IONS
begin ions
TITLE=odd case
PEPMASS=103.5
80.1 3
end ions\x20
BEGIN IONS
TITLE=last
PEPMASS=104.5
80.1 3
END IONS
BEGIN IONS
TITLE=cut off
"""
MSP = "Name: {}\nPrecursorMZ: 100.5\nNum Peaks: 2\n50.1 1\n60.1 2\n\n"
TABLE = "id\tsmiles\nA\tCC\n\nB\tCCC\nC\t\nD\tCO\nE\tCN\n"
SMI = "# comment\nsmiles name\nCC a\n\nCCO b\nCN c\n"
SDF = "{}\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n$$$$\n"


def seen(record):
    values = (type(record).__name__, record.id, record.record, record.line, getattr(record, "reason", ""))
    return *values, getattr(record, "precursor_mz", 0), str(getattr(record, "metadata", ""))


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("text", [MGF, MGF.replace("IONMODE", "X"), "".join(MSP.format(i) for i in range(5)), ""])
def test_shards_of_spectra_are_the_whole(tmp_path, text, ends):
    path = tmp_path / "spectra"
    path.write_bytes(text.replace("\n", ends).encode())
    whole = [seen(record) for record in read_spectra(path)]
    n = count_spectra(path)
    for count in (1, 2, 3, n + 2):
        parts = [read_spectra(path, record_range=Shard(i, count).record_range(n)) for i in range(1, count + 1)]
        assert [seen(record) for part in parts for record in part] == whole


@pytest.mark.parametrize("text", [TABLE, TABLE.replace("\t", ","), SMI, "".join(SDF.format(i) for i in range(5)), ""])
def test_shards_of_molecules_are_the_whole(tmp_path, text):
    path = tmp_path / "molecules"
    path.write_text(text)
    whole = list(read_raw(path))
    n = count_molecules(path)
    assert n == len(whole)
    for count in (1, 2, 3, n + 2):
        parts = [read_raw(path, record_range=Shard(i, count).record_range(n)) for i in range(1, count + 1)]
        assert [record for part in parts for record in part] == whole


def test_large_files_are_cut_where_records_end(tmp_path):
    path = tmp_path / "spectra.mgf"
    record = "BEGIN IONS\nTITLE={}\nPEPMASS=100.5\n" + "50.123 1\n" * 200 + "END IONS\n\n"
    path.write_text("".join(record.format(i) for i in range(1500)))
    assert path.stat().st_size > 2 << 20
    assert count_spectra(path) == 1500
    found = list(read_spectra(path, record_range=Shard(2, 3).record_range(1500)))
    assert [one.id for one in found] == [str(i) for i in range(500, 1000)]
    assert [one.record for one in found] == list(range(501, 1001))


@given(st.integers(0, 1000), st.integers(1, 50))
def test_windows_follow_one_another(n, count):
    windows = [Shard(i, count).record_range(n) for i in range(1, count + 1)]
    assert windows[0].low == 0
    assert windows[-1].high == n
    assert all(before.high == after.low for before, after in itertools.pairwise(windows))
    sizes = [window.high - window.low for window in windows]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("text", ["", "3", "0/3", "4/3", "1/0", "a/b", "1/2/3", "-1/3", "1.0/2"])
def test_what_is_no_shard(text):
    with pytest.raises(UsageError, match="3/20"):
        Shard.parse(text)


def test_a_window_stops_as_soon_as_it_can():
    asked = []
    found = list(RecordRange(1, 3).filter(asked.append(i) or i for i in range(9)))
    assert found == [1, 2]
    assert asked == [0, 1, 2]
    assert list(RecordRange(0, 0).filter(iter("x"))) == []


def test_only_files_have_shards(tmp_path):
    with pytest.raises(UsageError, match="cannot be counted"):
        require_file("-")


@pytest.mark.parametrize(
    ("numbers", "text"), [([3, 5, 17, 18, 19], "3,5,17-19"), ([], ""), ([2, 1], "1-2"), ([7], "7")]
)
def test_array_syntax(numbers, text):
    assert array_text(numbers) == text
