import html
import html.parser
import io
import json

import pytest

COLUMNS = (
    "query_id", "rank", "score", "probability", "inchikey14", "smiles", "adduct", "mass_error_ppm", "id", "name",
    "n_candidates", "reason", "record",
)  # fmt: skip
TRUTH = "CC(=O)Nc1ccc(O)cc1"
TRUE_KEY, OTHER_KEY = "RZVAJINKPMORJF", "VAMXMNNIEUEQDV"
OTHER = "COC(=O)c1ccccc1N"
ROWS = [
    ("p1", 1, 0.72, 0.61, TRUE_KEY, TRUTH, "[M+H]+", 0.4, "M1", "paracetamol", 7, "", 1),
    ("p1", 2, 0.70, 0.02, OTHER_KEY, OTHER, "[M+H]+", 0.4, "M2", "", 7, "", 1),
    ("none", "", "", "", "", "", "", "", "", "", 0, "no molecule in the window", 2),
    ("p2", 1, 0.50, 0.07, OTHER_KEY, OTHER, "[M+H]+", 0.4, "M2", "", 7, "", 3),
    ("p2", 2, 0.40, 0.01, TRUE_KEY, TRUTH, "[M+H]+", 0.4, "M1", "paracetamol", 7, "", 3),
]
MGF = """BEGIN IONS
TITLE={}
PEPMASS=152.0706
ADDUCT=[M+H]+
SMILES={}
65.0386 10
93.0335 12
110.0600 100
152.0706 40
END IONS

"""
PICTURE = "data:image/svg+xml;base64,"


def table(rows=ROWS, columns=COLUMNS):
    return "\n".join("\t".join(map(str, row)) for row in [columns, *rows]) + "\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "hits.tsv").write_text(table())
    (tmp_path / "spectra.mgf").write_text("".join(MGF.format(name, TRUTH) for name in ("p1", "none", "p2")))
    return tmp_path


class Page(html.parser.HTMLParser):
    """Rows of all tables, texts of pictures, scripts and their data, and the names of all elements and attributes.

    The small pictures of the table of all queries are left out, and the first cell of its rows, where they stand.
    """

    def __init__(self, text):
        super().__init__()
        self.rows, self.pictures, self.names, self.text, self._in_cell = [], [], set(), [], False
        self.small, self.scripts, self.queries = [], [], []
        self.feed(text)
        headings = next(row for row in self.rows if row[:2] == ["structure", "query"])
        self.rows = [row[1:] if len(row) == len(headings) and not row[0] else row for row in self.rows]
        self.text = "".join(self.text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.names |= {tag, *values}
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True
        elif tag == "img":
            assert values["src"].startswith(PICTURE)
            (self.small if values.get("class") == "small" else self.pictures).append(values["alt"])
        elif tag == "script":
            self.scripts.append(values)
        if values.get("class") == "data-query":
            assert not set("<>&") & set(values["data-json"])
            self.queries.append(json.loads(values["data-json"]))

    def handle_data(self, data):
        self.text.append(data)
        if self._in_cell:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._in_cell = False


def test_what_all_queries_come_to(call, files):
    done = call("sb-report", "hits.tsv", "-o", "report.html")
    text = (files / "report.html").read_text()
    page = Page(text)
    assert ["queries", "3"] in page.rows
    assert ["with candidates", "2"] in page.rows
    assert ["without: no molecule in the window", "1"] in page.rows
    assert ["0 to 0.1", "1", "1"] in page.rows
    assert ["0.6 to 0.7", "1", "1"] in page.rows
    assert ["not stated", "0", ""] in page.rows
    assert "All are shown below." in text
    assert done.stderr.decode().startswith("3 queries read, 0 rejected, 3 written")


def test_candidates_are_drawn_with_their_figures(call, files):
    page = Page(call("sb-report", "hits.tsv").stdout.decode())
    assert page.pictures == [TRUTH, OTHER, OTHER, TRUTH]
    assert page.small == [TRUTH, OTHER]
    (best,) = [row for row in page.rows if row[0] == "1" and "paracetamol" in row[2]]
    assert best[4:] == ["[M+H]+", "0.40", "0.720", "0.610", "5"]
    assert best[2] == f"paracetamol{TRUTH}{TRUE_KEY}id M1"
    assert "2 of 2 candidates in the table of hits, of 7 that were compared." in page.text
    assert "No candidate: no molecule in the window." in page.text


def test_spectra_are_drawn_and_their_peaks_explained(call, files):
    page = Page(call("sb-report", "hits.tsv", "--spectra", "spectra.mgf", "--show-candidates", "1").stdout.decode())
    assert [text.partition(":")[0] for text in page.pictures] == [
        TRUTH, "p1, precursor m/z 152.0706", OTHER, "p2, precursor m/z 152.0706",
    ]  # fmt: skip
    explained = {row[0]: row[1:4] for row in page.rows if row[0] in ("110.0600", "93.0335")}
    assert explained["110.0600"] == ["100.0%", "C6H8NO+", "-0.4"]
    assert explained["93.0335"] == ["12.0%", "C6H5O+", "+0.1"]
    assert "1 of 2 candidates in the table of hits" in page.text
    assert "of these also by the first candidate" not in page.text


def test_the_other_candidates_have_their_peaks(call, files):
    page = Page(call("sb-report", "hits.tsv", "--spectra", "spectra.mgf").stdout.decode())
    others = [row for row in page.rows if row[:3] == ["2", "4", "4"]]
    # of both queries: each molecule explains all four peaks
    assert len(others) == 2
    assert all(
        row[3].startswith("110.0600 C6H8NO+, 152.0706 C8H10NO2+, 93.0335 C6H5O+, 65.0386 C5H5+") for row in others
    )


def test_truths_are_marked(call, files):
    page = Page(call("sb-report", "hits.tsv", "--truth", "spectra.mgf").stdout.decode())
    assert page.text.count("true molecule") == 2 + 2 * 2  # marked, and in the words of verdict and overview
    overview = {row[0]: row[-1] for row in page.rows if row[0] in ("p1", "p2", "none")}
    assert overview == {
        "p1": "right, rank of the true molecule 1 of 7",
        "p2": "wrong, rank of the true molecule 2 of 7",
        "none": "no candidate",
    }
    assert "recall@1   33.3%" in page.text


def test_the_queries_that_are_left_out_are_counted(call, files):
    done = call("sb-report", "hits.tsv", "--show-queries", "1", "--spectra", "spectra.mgf")
    page = Page(done.stdout.decode())
    assert "The first 1 are shown below." in page.text
    assert ["queries", "3"] in page.rows
    assert page.pictures[:2] == [TRUTH, OTHER]
    assert len(page.pictures) == 3
    assert done.stderr.decode().startswith("3 queries read, 0 rejected, 1 written")
    everything = Page(call("sb-report", "hits.tsv", "--show-queries", "0").stdout.decode())
    assert "All are shown below." in everything.text


def test_texts_of_files_are_no_markup(call, files):
    nasty = "<script>alert(1)</script>\"'&amp; <img src=x onerror=alert(1)>"
    rows = [(*row[:9], nasty, *row[10:]) for row in ROWS]
    rows[0] = (nasty, 1, 0.5, 0.5, nasty, nasty, "[M+H]+", "", nasty, nasty, 7, "", 1)
    rows[1:3] = [(nasty + "2", *[""] * 9, 0, nasty, 2)]
    lines = [json.dumps(dict(zip(COLUMNS, (value or None for value in row), strict=True))) for row in rows]
    (files / "hits.jsonl").write_text("\n".join(lines) + "\n")
    (files / "nasty.mgf").write_text("".join(MGF.format(name, TRUTH) for name in (nasty, nasty + "2", "p2")))
    text = call("sb-report", "hits.jsonl", "--spectra", "nasty.mgf").stdout.decode()
    page = Page(text)
    assert [script["src"].partition(",")[0] for script in page.scripts] == ["data:text/javascript;base64"]
    assert not [name for name in page.names if name.startswith("on")]
    assert page.text.count(nasty) >= 8
    assert [query["id"] for query in page.queries] == [nasty, nasty + "2", "p2"]
    assert page.queries[0]["candidates"][0]["smiles"] == nasty
    assert f"{nasty} (structure cannot be read)" in page.text


def test_a_page_needs_nothing_but_itself(call, files):
    text = call("sb-report", "hits.tsv", "--spectra", "spectra.mgf").stdout.decode()
    assert "http:" not in text
    assert "https:" not in text
    page = Page(text)
    assert not {"iframe", "object", "svg", "style"} & page.names
    (script,) = page.scripts
    assert f"script-src '{script['integrity']}' 'nonce-{script['nonce']}';" in html.unescape(text)


def test_parts_are_numbered_as_merged_hits(call, files):
    (files / "first.mgf").write_text(MGF.format("p1", TRUTH) + "BEGIN IONS\nTITLE=none\nPEPMASS=100\nEND IONS\n")
    (files / "second.mgf").write_text(MGF.format("p2", TRUTH))
    whole = call("sb-report", "hits.tsv", "--spectra", "spectra.mgf").stdout
    parts = call("sb-report", "hits.tsv", "--spectra", "first.mgf", "--spectra", "second.mgf").stdout
    assert parts == whole
    done = call("sb-report", "hits.tsv", "--spectra", "second.mgf", "--spectra", "first.mgf", status=1)
    assert b"'p1' of the hits is not among the spectra, or not in the order" in done.stderr


def test_groups_are_drawn_with_all_their_spectra(call, files):
    spectra = "".join(MGF.format(name, TRUTH + "\nFEATURE=F") for name in ("a", "b"))
    (files / "grouped.mgf").write_text(spectra)
    (files / "grouped.tsv").write_text(table([("F", *ROWS[0][1:])]))
    options = ("--spectra", "grouped.mgf", "--group-by", "feature")
    page = Page(call("sb-report", "grouped.tsv", *options, "--truth", "grouped.mgf").stdout.decode())
    assert [text[:2] for text in page.pictures] == ["CC", "a,", "b,"]
    done = call("sb-report", "grouped.tsv", *options, "--spectra", "grouped.mgf", status=2)
    assert b"from one file only; sb-merge makes one of several" in done.stderr


@pytest.mark.slow
def test_a_pipe_on_either_side_gives_the_same(run, files):
    expected = run("sb-report", "hits.tsv", "--spectra", "spectra.mgf").stdout
    assert run("sb-report", "-", "--spectra", "spectra.mgf", stdin=table().encode()).stdout == expected
    spectra = (files / "spectra.mgf").read_bytes()
    assert run("sb-report", "hits.tsv", "--spectra", "-", stdin=spectra).stdout == expected


def test_only_one_input_is_stdin(call, files):
    for options in (("-", "--truth", "-"), ("-", "--spectra", "-"), ("hits.tsv", "--spectra", "-", "--truth", "-")):
        assert b"only one of HITS, --spectra and --truth" in call("sb-report", *options, status=2).stderr


def test_a_table_without_a_query(call, files):
    (files / "empty.tsv").write_text(table([]))
    page = Page(call("sb-report", "empty.tsv", "--spectra", "spectra.mgf").stdout.decode())
    assert "Candidates for 0 queries" in page.text
    assert page.pictures == []


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("p1", 1, "high", *ROWS[0][3:])], "column score of query p1"),
        ([("p1", 1, 0.5, "maybe", *ROWS[0][4:])], "column probability of query p1"),
        ([(*ROWS[0][:-1], "first")], "column record of query p1"),
        ([ROWS[0][:-1]], "12 fields where the header has 13"),
    ],
)
def test_broken_rows_are_named_in_one_line(call, files, rows, message):
    (files / "broken.tsv").write_text(table(rows))
    done = call("sb-report", "broken.tsv", "--spectra", "spectra.mgf", "-o", "report.html", status=1)
    assert message in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert not (files / "report.html").exists()


def test_other_files_are_refused(call, files):
    assert b"is no hits table" in call("sb-report", "spectra.mgf", status=1).stderr
    (files / "x.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(20))
    assert b"HDF5 file" in call("sb-report", "hits.tsv", "--spectra", "x.h5", status=1).stderr
    (files / "other.mgf").write_text(MGF.format("p9", TRUTH))
    assert b"is not in other.mgf" in call("sb-report", "hits.tsv", "--truth", "other.mgf", status=3).stderr
    (files / "report.html").write_text("kept")
    assert b"exists already" in call("sb-report", "hits.tsv", "-o", "report.html", status=2).stderr
    assert (files / "report.html").read_text() == "kept"


def test_memory_does_not_grow_with_the_queries(files):
    import tracemalloc

    from specbridge_tools.progress import SilentProgress
    from specbridge_tools.records import Tally
    from specbridge_tools.report.page import write_report
    from specbridge_tools.streams import rewindable

    rows = [(f"q{i}", *row[1:9], "x" * 5000, *row[10:-1], i) for i in range(1, 1001) for row in ROWS[:2]]
    size = (files / "long.tsv").write_text(table(rows))
    del rows
    page, tally = io.StringIO(), Tally()
    tracemalloc.start()
    with rewindable(files / "long.tsv") as source:
        write_report(source, page, queries=3, tally=tally, display=SilentProgress())
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tally.n_read, tally.n_written) == (1000, 3)
    assert most < size / 3


def test_a_reference_spectrum_is_drawn_beside_the_query(files, call):
    standards = MGF.format("standard", TRUTH).replace("SMILES", "NAME=paracetamol\nSMILES")
    (files / "standards.mgf").write_text(standards)
    call("sb-build-reference", "standards.mgf", "-o", "standards.h5", "--encoder", "toy", "-q")
    columns = (*COLUMNS, "reference_similarity", "reference_id", "reference_kind", "reference_licence")
    rows = [(*row, *(("0.97", "standard", "same_ion", "CC0") if row[8] == "M1" else ("",) * 4)) for row in ROWS]
    (files / "matched.tsv").write_text(table(rows, columns))
    arguments = ("matched.tsv", "--spectra", "spectra.mgf", "-o", "page.html", "--force", "-q")
    call("sb-report", *arguments, "--reference", "standards.h5")
    text = (files / "page.html").read_text()
    assert "library match: standard, similarity 0.97 ([M+H]+)" in text
    assert text.count("p1 against reference standard; peaks of both in blue") == 2  # the picture's and the caption
    call("sb-report", *arguments, "--reference", "none")
    text = (files / "page.html").read_text()
    assert "library match: standard, similarity 0.97 (CC0)" in text
    assert "against reference" not in text
