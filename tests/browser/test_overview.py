"""All queries: sorted, filtered, walked by keys."""

import pytest
from page_files import CANDIDATES, HOSTILE_ID

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ALL = list(CANDIDATES)


def names(page):
    """Ids of the queries in the order of the table."""
    return page.locator("table.queries td.query a").all_inner_texts()


def head(page, title):
    return page.locator("table.queries th").filter(has_text=title)


def test_each_query_has_a_row_with_everything(page, picture):
    assert names(page) == ALL
    row = page.locator("table.queries tbody tr").first
    assert row.locator("td.name").inner_text() == "paracetamol"
    assert row.locator("td").all_inner_texts()[3:7] == ["C8H9NO2", "[M+H]+", "61 %", "library match 0.97"]
    assert row.locator(".level").inner_text().endswith("2a")
    assert row.locator("img").get_attribute("alt") == "CC(=O)Nc1ccc(O)cc1"
    assert row.locator("img").evaluate("image => image.naturalWidth") == 220
    assert float(row.locator(".bar .filled").get_attribute("width")) == pytest.approx(61)
    unanswered = page.locator("tr[data-query='3']")
    assert unanswered.locator("td.name").inner_text() == "no candidate: no molecule in the window"
    assert unanswered.locator("img").count() == 0
    picture(page, "overview")


def test_a_heading_sorts_and_sorts_back(page):
    by_probability = ["salicylate", "grouped", "caffeine", HOSTILE_ID, "weak", "unanswered"]
    head(page, "probability").locator("button").click()
    assert names(page) == by_probability
    assert head(page, "probability").get_attribute("aria-sort") == "descending"
    head(page, "probability").locator("button").click()
    # what has none stays last
    assert names(page) == [*by_probability[-2::-1], "unanswered"]
    assert head(page, "probability").get_attribute("aria-sort") == "ascending"
    head(page, "reference spectra").locator("button").click()
    assert names(page)[:2] == ["grouped", "caffeine"]
    assert head(page, "probability").get_attribute("aria-sort") == "none"
    head(page, "query").first.locator("button").click()
    assert names(page) == sorted(ALL, key=str.lower)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("caffeine", ["caffeine"]),
        ("SULFOX imine", ["grouped"]),  # of a candidate behind the first, too
        ("C8H10N4O2", ["caffeine"]),
        ("pubchem:1983", ["grouped", "weak"]),
        ("nothing like it", []),
    ],
)
def test_text_filters(page, text, found):
    page.fill("#search", text)
    assert names(page) == found
    assert page.locator("[role=status].count").inner_text() == f"{len(found)} of 6 queries"
    page.click(".reset")
    assert names(page) == ALL


def test_probability_polarity_and_level_filter(page):
    page.fill("#least", "0.4")
    assert names(page) == ["grouped", "salicylate", "caffeine"]
    page.select_option("#polarity", "-")
    assert names(page) == ["salicylate"]
    page.click(".reset")
    page.click("button[data-level='2a']")
    assert names(page) == ["grouped"]
    page.click("button[data-level='5']")
    assert names(page) == ["grouped", "unanswered", HOSTILE_ID, "caffeine", "weak"]
    assert page.locator("button[data-level='5']").get_attribute("aria-pressed") == "true"
    page.click("button[data-level='2a']")
    assert "grouped" not in names(page)


def test_a_bar_of_the_histogram_filters(page):
    counts = page.locator(".bin text").all_text_contents()
    assert counts == ["1", "", "", "1", "1", "", "1", "", "1", ""]
    page.locator(".bin").nth(8).click()
    assert names(page) == ["salicylate"]
    page.locator(".bin").nth(3).press("Enter")
    assert names(page) == [HOSTILE_ID]
    page.locator(".bin").nth(3).click()
    assert names(page) == ALL


def test_keys_walk_through_the_queries(page, expect):
    current = page.locator("tr.current td.query a")
    assert current.inner_text() == "grouped"
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    assert current.inner_text() == "unanswered"
    page.keyboard.press("k")
    assert current.inner_text() == "salicylate"
    page.keyboard.press("Enter")
    heading = page.locator(".query-view h2")
    expect(heading).to_have_text("salicylate")
    page.keyboard.press("ArrowDown")
    expect(heading).to_have_text("unanswered")
    assert "No candidate: no molecule in the window." in page.locator(".query-view").inner_text()
    page.keyboard.press("ArrowUp")
    expect(heading).to_have_text("salicylate")
    page.keyboard.press("k")
    expect(heading).to_have_text("grouped")
    page.keyboard.press("k")  # there is none before it
    expect(heading).to_have_text("grouped")
    page.keyboard.press("Escape")
    expect(current).to_have_text("grouped")
    page.keyboard.press("/")
    page.keyboard.type("jk")  # letters in a field are text
    assert page.locator("#search").input_value() == "jk"


def test_the_order_of_the_table_is_that_of_the_queries(page, expect):
    head(page, "probability").locator("button").click()
    page.fill("#least", "0.4")
    page.locator("table.queries tbody tr").first.click()
    heading, place = page.locator(".query-view h2"), page.locator(".place")
    expect(heading).to_have_text("salicylate")
    expect(place).to_have_text("1 of 3")
    page.get_by_role("button", name="next query").click()
    expect(heading).to_have_text("grouped")
    expect(place).to_have_text("2 of 3")
    page.keyboard.press("j")
    expect(heading).to_have_text("caffeine")
    expect(place).to_have_text("3 of 3")
    assert page.get_by_role("button", name="next query").is_disabled()
    page.go_back()
    expect(heading).to_have_text("grouped")


def test_a_narrow_window_has_all_of_the_page_beside_each_other(page, expect, picture):
    wide = page.viewport_size
    page.set_viewport_size({"width": 420, "height": 900})
    try:
        assert page.evaluate("document.documentElement.scrollWidth") <= 420
        assert head(page, "probability").is_visible()
        assert not head(page, "adduct").is_visible()
        picture(page, "narrow")
        page.locator("table.queries tbody tr").first.click()
        expect(page.locator(".query-view h2")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 420
        # letters of the spectrum are not smaller than they are in a wide window by more than a sixth
        assert page.locator("svg.spectrum").evaluate("svg => svg.getScreenCTM().a") > 0.83
    finally:
        page.set_viewport_size(wide)
