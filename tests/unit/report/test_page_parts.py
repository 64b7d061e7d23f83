import base64
import json
import xml.etree.ElementTree as ET

import giants
import pytest

from specbridge_tools.errors import DataError
from specbridge_tools.hits.table import QueryRows, parse_hits
from specbridge_tools.report.candidates import candidate_table
from specbridge_tools.report.identifiers import identified, links
from specbridge_tools.report.markup import Markup, data_element, element, image, joined
from specbridge_tools.report.overview import overview_row, summary_section
from specbridge_tools.report.spectrum_picture import EXPLAINED_COLOUR, OTHER_COLOUR, PRECURSOR_COLOUR, draw_spectrum
from specbridge_tools.report.summary import Summary

SVG = "{http://www.w3.org/2000/svg}"
COLUMNS = ("query_id", "score", "probability", "inchikey14", "smiles", "reason")


def hits(*rows):
    return parse_hits(QueryRows(COLUMNS, list(rows)))


def answered(probability):
    return hits(("q", "0.5", probability, "KEY", "CCO", ""))


def test_text_is_escaped_and_markup_is_not():
    inner = element("b", "1 < 2")
    assert inner == "<b>1 &lt; 2</b>"
    assert element("td", inner, " & ", 3, class_="x\"y'", title=None) == (
        '<td class="x&quot;y&#x27;"><b>1 &lt; 2</b> &amp; 3</td>'
    )
    assert isinstance(joined(inner, "<"), Markup)
    assert joined(inner, "<") == "<b>1 &lt; 2</b>&lt;"
    assert element("br") == "<br>"


def test_a_lone_surrogate_can_be_written():
    assert element("p", "a\ud800b").encode() == b"<p>a?b</p>"


def test_data_for_scripts_stay_in_their_attribute():
    values = {"id": "'\"><script>&amp;\u2028\ud800", "n": [1, 2.5, None]}
    tag = data_element("data-query", values)
    assert tag == (
        '<div class="data-query" data-json=\'{"id":"\\u0027\\"\\u003e\\u003cscript\\u003e\\u0026amp;\\u2028\\ud800",'
        '"n":[1,2.5,null]}\'></div>'
    )
    assert json.loads(tag.split("'")[1]) == values


def test_ids_lead_to_their_pages():
    texts = "pubchem:2519;M7;HMDB0001847;CHEBI:27732;javascript:alert(1);M7"
    assert identified(texts) == [
        ("pubchem:2519", "https://pubchem.ncbi.nlm.nih.gov/compound/2519"),
        ("M7", ""),
        ("HMDB0001847", "https://hmdb.ca/metabolites/HMDB0001847"),
        ("CHEBI:27732", "https://www.ebi.ac.uk/chebi/searchId.do?chebiId=CHEBI:27732"),
        ("javascript:alert(1)", ""),
    ]
    assert links("M7;pubchem:1") == (
        'M7;<a href="https://pubchem.ncbi.nlm.nih.gov/compound/1" rel="noreferrer">pubchem:1</a>'
    )


def test_a_picture_stands_in_the_page_with_its_text():
    tag = image("<svg/>", text="C<", width=2, height=1)
    assert tag == '<img src="data:image/svg+xml;base64,PHN2Zy8+" alt="C&lt;" width="2" height="1">'
    assert base64.b64decode("PHN2Zy8+") == b"<svg/>"


def lines(svg):
    """{colour: x of its upright lines}"""
    found = {}
    for path in ET.fromstring(svg).iter(f"{SVG}path"):
        found.setdefault(path.get("stroke"), []).append(float(path.get("d")[1:].split(" ")[0]))
    return found


def test_peaks_are_lines_in_their_order_and_the_explained_ones_in_colour():
    svg = draw_spectrum([50.0, 60.0, 100.0], [1.0, 4.0, 2.0], explained={60.0}, precursor_mz=110.0)
    found = lines(svg)
    first, last = sorted(found[OTHER_COLOUR])
    (explained,) = found[EXPLAINED_COLOUR]
    (precursor,) = found[PRECURSOR_COLOUR]
    assert first < explained < last < precursor
    # positions are proportional to m/z
    assert (explained - first) / (last - first) == pytest.approx(10 / 50, abs=0.01)
    texts = {text.text for text in ET.fromstring(svg).iter(f"{SVG}text")}
    assert {"50.0000", "60.0000", "100.0000", "m/z", "100 %"} <= texts


def test_heights_are_relative_to_the_highest_peak():
    svg = draw_spectrum([50.0, 100.0], [1e6, 5e5], explained={50.0, 100.0}, precursor_mz=110.0)
    spans = [
        path.get("d").split(" ")[1].split("V")
        for path in ET.fromstring(svg).iter(f"{SVG}path")
        if path.get("stroke") == EXPLAINED_COLOUR
    ]
    highest, half = (float(bottom) - float(top) for bottom, top in spans)
    assert highest == pytest.approx(2 * half, abs=0.2)


def test_labels_do_not_cover_each_other():
    mz = [100 + 0.01 * i for i in range(200)]
    svg = draw_spectrum(mz, [1.0] * 200, explained=set(), precursor_mz=500.0)
    labels = [text for text in ET.fromstring(svg).iter(f"{SVG}text") if "." in text.text]
    assert len(labels) == 1


@pytest.mark.parametrize("mz", [[1e-3], [5000.0], [100.0, 100.0]])
def test_any_range_of_masses_can_be_drawn(mz):
    ET.fromstring(draw_spectrum(mz, [1.0] * len(mz), explained=set(), precursor_mz=mz[0]))


@pytest.mark.parametrize(("probability", "place"), [("0", 0), ("0.0999", 0), ("0.1", 1), ("0.95", 9), ("1", 9)])
def test_probabilities_are_counted_in_tenths(probability, place):
    summary = Summary()
    summary.add(answered(probability))
    assert [i for i, count in enumerate(summary.probabilities) if count] == [place]
    assert summary.n_without_probability == 0


def test_what_is_not_answered_is_counted_by_its_reason():
    summary = Summary()
    for query in (answered(""), hits(("r", "", "", "", "", "no peaks")), hits(("s", "", "", "", "", ""))):
        assert summary.add(query) is query
    assert (summary.n_queries, summary.n_answered, summary.n_without_probability) == (3, 1, 1)
    assert dict(summary.reasons) == {"no peaks": 1, "no reason given": 1}
    text = summary_section(summary, n_drawn=2)
    assert "The first 2 are shown below." in text
    assert "without: no peaks" in text


def test_a_prior_is_named():
    summary = Summary()
    summary.add(
        parse_hits(QueryRows(("query_id", "score", "prior:patents:0.5", "inchikey14"), [("q", "1", "3", "KEY")]))
    )
    assert "The scores hold the prior patents:0.5, the probabilities do not." in summary_section(summary, n_drawn=1)
    summary.add(answered("0.5"))
    assert "prior" not in summary_section(summary, n_drawn=1)


def test_a_probability_that_is_none_is_refused():
    with pytest.raises(DataError, match="column probability of query q"):
        Summary().add(answered("often"))


def test_a_table_without_the_usual_columns():
    few = parse_hits(QueryRows(("query_id", "score", "inchikey14"), [("q", "0.5", "KEY"), ("q", "0.4", "OTHER")]))
    text = candidate_table(few, top=5, truth="OTHER")
    assert "<th>score</th>" in text
    assert "probability" not in text
    assert text.count("true molecule") == 1
    assert "2 of 2 candidates in the table of hits." in text
    assert ">KEY<" in overview_row(1, few)


def test_a_giant_is_named_in_place_of_its_picture():
    smiles = giants.torus(17)
    table = candidate_table(hits(("q", "0.5", "0.2", "KEY", smiles, ""), ("q", "0.4", "0.1", "KEY2", "CCO", "")), top=2)
    assert f"<td>{smiles} (too large to be drawn: 289 atoms)</td>" in table
    assert table.count("<img") == 1
