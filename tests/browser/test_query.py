"""One query: its candidates, its spectrum, what fragments explain."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def query(page):
    page.evaluate("location.hash = 'query-1'")
    page.locator(".query-view").wait_for()
    return page


def choose(page, number):
    page.get_by_role("button", name=f"choose candidate {number}").click()


def beside(page, number):
    page.get_by_role("button", name=f"lay candidate {number} beside the chosen one").click()


def at_peak(page, mz):
    """Coordinates on the screen of the peak at an m/z, by the labels of the axis."""
    box = page.locator("svg.spectrum").bounding_box()
    ticks = page.locator("svg.spectrum text.tick[text-anchor=middle]").evaluate_all(
        "nodes => nodes.map(node => [Number(node.textContent), Number(node.getAttribute('x'))])"
    )
    (m1, x1), (m2, x2) = ticks[0], ticks[-1]
    x = x1 + (mz - m1) / (m2 - m1) * (x2 - x1)
    return box["x"] + x / 860 * box["width"], box["y"] + box["height"] / 3


def hover(page, mz):
    page.mouse.move(*at_peak(page, mz))


def atoms(page, panel=0):
    """Numbers of the atoms that are marked in the structure."""
    marks = page.locator(".structure-panel").nth(panel).locator(".halos circle")
    return sorted(int(value) for value in marks.evaluate_all("nodes => nodes.map(node => node.dataset.atom)"))


def range_of(page):
    return [float(text) for text in page.locator("svg.spectrum text.tick[text-anchor=middle]").all_text_contents()]


def kinds(page):
    """How many peaks are explained by whom."""
    classes = page.locator("svg.spectrum g.peak").evaluate_all("nodes => nodes.map(node => node.classList[1])")
    return {kind: classes.count(kind) for kind in sorted(set(classes))}


def test_candidates_are_cards(query, picture):
    cards = query.locator(".card")
    assert cards.locator("h3").all_inner_texts() == ["paracetamol", "sulfoximine", "anisamide"]
    first = cards.first
    assert first.locator(".card-formula").inner_text() == "C8H9NO2 [M+H]+"
    figures = dict(zip(first.locator("dt").all_inner_texts(), first.locator("dd").all_inner_texts(), strict=True))
    assert figures["score"] == "0.500"
    assert figures["mass (Da)"] == "151.0633"
    links = first.locator(".ids a").evaluate_all("nodes => nodes.map(node => node.href)")
    assert links == [
        "https://pubchem.ncbi.nlm.nih.gov/compound/1983",
        "https://www.ebi.ac.uk/chebi/searchId.do?chebiId=CHEBI:46195",
    ]
    assert cards.nth(1).locator(".ids").inner_text() == "M3"
    assert "library match: standard, similarity 0.97" in query.locator(".details").inner_text()
    picture(query, "query")


def test_hovering_a_peak_marks_its_fragment(query):
    assert atoms(query) == []
    hover(query, 110.06)
    tip = query.locator(".tip")
    assert "m/z 110.06" in tip.inner_text()
    assert "C6H8NO+" in tip.inner_text()
    assert "ppm" in tip.inner_text()
    assert atoms(query) == [3, 4, 5, 6, 7, 8, 9, 10]  # the aminophenol, without the acetyl group
    assert query.locator("tr.current td").first.inner_text().startswith("110.06")
    hover(query, 65.0386)
    assert "m/z 65.0386" in tip.inner_text()
    query.mouse.move(5, 5)
    assert not tip.is_visible()
    assert atoms(query) == []


def test_a_click_holds_a_peak_and_keys_step_on(query):
    query.mouse.click(*at_peak(query, 110.06))
    query.mouse.move(5, 5)
    assert "held" in query.locator(".tip").inner_text()
    assert len(atoms(query)) == 8
    query.locator("svg.spectrum").focus()
    query.keyboard.press("ArrowLeft")
    assert "m/z 93.0335" in query.locator(".tip").inner_text()
    query.keyboard.press("ArrowRight")
    query.keyboard.press("ArrowRight")
    assert "m/z 152.0706" in query.locator(".tip").inner_text()
    assert len(atoms(query)) == 11
    # the arrows of the spectrum do not leave the query
    assert query.locator(".query-view h2").inner_text() == "grouped"


def test_another_candidate_recolours_the_peaks(query):
    before = kinds(query)
    assert before == {"first": 7, "none": 2}
    choose(query, 2)
    assert kinds(query) == {"first": 3, "none": 6}
    assert query.locator(".structure-panel h3").inner_text() == "2 sulfoximine"
    assert query.locator(".card.first h3").inner_text() == "sulfoximine"
    query.keyboard.press("1")
    assert kinds(query) == before


def test_two_candidates_side_by_side(query, picture):
    beside(query, 2)
    assert kinds(query) == {"both": 2, "first": 5, "none": 1, "second": 1}
    legend = query.locator(".legend").inner_text()
    for words in ("both explain: 2 peaks", "only candidate 1: 5", "only candidate 2: 1 peak,", "neither: 1 peak,"):
        assert words in legend
    assert query.locator(".structure-panel h3").all_inner_texts() == ["1 paracetamol", "2 sulfoximine"]
    hover(query, 110.06)
    assert atoms(query, 0) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert atoms(query, 1) == []
    hover(query, 63.9977)
    assert atoms(query, 0) == []
    words = query.locator(".structure-panel .fragment").all_inner_texts()
    assert words[0] == "no fragment of this candidate explains the peak"
    assert words[1].startswith("CH4OS+")
    hover(query, 43.0178)
    assert atoms(query, 0) == [0, 1, 2]
    assert len(atoms(query, 1)) == 3
    picture(query, "side_by_side")
    query.emulate_media(color_scheme="dark")
    assert query.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    assert "invert" in query.locator(".structure-panel img").first.evaluate("image => getComputedStyle(image).filter")
    picture(query, "dark")
    query.keyboard.press("Shift+Digit3")
    assert query.locator(".structure-panel h3").all_inner_texts()[1] == "3 anisamide"
    query.keyboard.press("Shift+Digit3")
    assert query.locator(".structure-panel").count() == 1


def test_the_spectrum_is_zoomed(query):
    whole = range_of(query)
    x1, y = at_peak(query, 88)
    x2, _ = at_peak(query, 115)
    query.mouse.move(x1, y)
    query.mouse.down()
    query.mouse.move(x2, y, steps=3)
    query.mouse.up()
    inside = range_of(query)
    assert inside[0] >= 88
    assert inside[-1] <= 115
    query.get_by_role("button", name="zoom out").click()
    assert range_of(query)[0] < inside[0]
    query.get_by_role("button", name="whole spectrum").click()
    assert range_of(query) == whole
    query.mouse.move(*at_peak(query, 110.06))
    query.keyboard.down("Shift")
    query.mouse.wheel(0, -200)
    query.keyboard.up("Shift")
    query.wait_for_function("first => document.querySelector('text.tick').textContent !== first", arg=f"{whole[0]:g}")
    assert whole[0] < range_of(query)[0] < 110.06 < range_of(query)[-1]
    query.locator("svg.spectrum").focus()
    query.keyboard.press("0")
    assert range_of(query) == whole
    query.keyboard.press("+")
    assert range_of(query)[-1] < whole[-1]
    query.locator("svg.spectrum").dblclick(position={"x": 300, "y": 60})
    assert range_of(query) == whole


def test_spectra_of_a_group_merged_and_one_by_one(query):
    buttons = query.get_by_role("group", name="Spectra").locator("button")
    assert buttons.all_inner_texts() == ["all merged", "a", "b"]
    merged = sum(kinds(query).values())
    assert merged == 9  # 110.0600 and 110.0601 are one
    buttons.nth(1).click()
    assert sum(kinds(query).values()) == 6
    buttons.nth(2).click()
    assert sum(kinds(query).values()) == 6
    assert buttons.nth(2).get_attribute("aria-pressed") == "true"
    buttons.nth(0).click()
    assert sum(kinds(query).values()) == merged


def test_the_reference_spectrum_hangs_below(query):
    hanging = query.locator("svg.spectrum path.reference")
    assert hanging.count() == 4
    assert query.locator("svg.spectrum path.reference.shared").count() == 3
    mirror = query.get_by_role("button", name="reference spectrum below")
    mirror.click()
    assert hanging.count() == 0
    choose(query, 2)  # only related to the standard
    assert "analog: " in query.locator(".details").inner_text()
    choose(query, 3)
    assert mirror.count() == 0
