"""Every record is used or counted with its reason."""

import dataclasses
import io

import pytest

from specbridge_tools.errors import DataError, NoneUsableError, UsageError
from specbridge_tools.records import Noted, Rejection, Tally, open_tally

BAD = Rejection("no peaks", id="s2", record=2, line=14, source="a.mgf", detail="between BEGIN IONS\tand END IONS")


def test_usable_records_pass_and_all_are_counted():
    tally = Tally(noun="spectra")
    assert list(tally.usable(["a", BAD, "b", Rejection("no precursor"), BAD])) == ["a", "b"]
    tally.n_written = 2
    assert (tally.n_read, tally.n_rejected, dict(tally.reasons)) == (5, 3, {"no peaks": 2, "no precursor": 1})
    assert tally.summary().startswith("5 spectra read, 3 rejected (2 no peaks, 1 no precursor), 2 written, ")
    assert tally.summary().endswith(" s")


def test_summary_without_rejections_has_no_reasons():
    tally = Tally(noun="molecules")
    assert tally.count("a")
    assert tally.summary().startswith("1 molecules read, 0 rejected, 0 written, ")


def test_rejects_are_rows_of_a_table():
    table = io.StringIO()
    tally = Tally(rejects=table)
    assert not tally.count(BAD)
    assert tally.count("a")
    header, row, *more = table.getvalue().splitlines()
    assert header == "source\trecord\tline\tid\treason\tdetail"
    assert row == 'a.mgf\t2\t14\ts2\tno peaks\t"between BEGIN IONS\tand END IONS"'
    assert not more


def test_strict_stops_at_the_first_rejection():
    tally = Tally(strict=True)
    assert tally.count("a")
    with pytest.raises(DataError) as caught:
        tally.count(Rejection("no peaks", record=2, line=14, source="a.mgf", detail="empty"))
    assert str(caught.value).startswith("a.mgf: line 14: no peaks (empty); --strict")
    assert tally.n_rejected == 1


def test_strict_names_the_record_where_a_format_has_no_lines():
    with pytest.raises(DataError, match=r"^a\.mzML: record 2: no peaks; --strict"):
        Tally(strict=True).count(Rejection("no peaks", record=2, source="a.mzML"))


def test_open_tally_writes_the_rejects_file(tmp_path):
    path = tmp_path / "rejects.tsv"
    with open_tally("spectra", rejects=path) as tally:
        tally.count(BAD)
    assert len(path.read_text().splitlines()) == 2
    with pytest.raises(UsageError, match="exists already"), open_tally("spectra", rejects=path):
        pass
    with open_tally("spectra", rejects=path, force=True):
        pass
    assert len(path.read_text().splitlines()) == 1


def test_open_tally_without_a_file():
    with open_tally("spectra") as tally:
        assert not tally.count(BAD)
    assert (tally.noun, tally.n_rejected) == ("spectra", 1)


@dataclasses.dataclass(frozen=True)
class Marked(Noted):
    id: str
    notes: tuple[str, ...] = ()


def test_what_is_said_of_usable_records_is_counted_with_the_first_names():
    tally = Tally(noun="spectra")
    for name in "abcd":
        assert tally.count(Marked(name, ("repaired",)))
    assert tally.count(Marked("e", ("bent", "repaired")))
    assert tally.count(Marked("f"))
    assert tally.notes == {"repaired": 5, "bent": 1}
    assert "6 spectra read, 0 rejected, 0 written, 5 repaired (a, b, c, ...), 1 bent (e), " in tally.summary()


def test_a_file_of_rejected_records_is_an_error_only_where_it_must_not_be_empty(tmp_path):
    rejects = tmp_path / "r.tsv"

    def read_two():
        with open_tally("spectra", rejects=rejects, allow_empty=False) as tally:
            tally.require_usable("x.mgf")  # no record at all
            for name in "ab":
                tally.count(Rejection("no peaks", name))
            tally.require_usable("x.mgf")

    with pytest.raises(NoneUsableError, match=r"^x\.mgf: none of 2 spectra can be used \(2 no peaks\); --rejects"):
        read_two()
    assert len(rejects.read_text().splitlines()) == 3


@pytest.mark.parametrize(("allow_empty", "records"), [(True, [BAD]), (False, [BAD, Marked("c")]), (False, [])])
def test_it_is_none_where_that_is_allowed_or_one_can_be_used(allow_empty, records):
    tally = Tally(allow_empty=allow_empty)
    list(tally.usable(records))
    tally.require_usable("x.mgf")
    assert tally.n_read == len(records)
