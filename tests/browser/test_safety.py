"""Hostile texts, no scripts, paper, and names for screen readers."""

import pytest
from page_files import CANDIDATES, HOSTILE_ID, HOSTILE_IDS, HOSTILE_NAME, HOSTILE_SMILES

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_texts_of_files_are_shown_and_never_run(page, expect):
    row = page.locator("tr[data-query='4']")
    assert row.locator("td.query a").inner_text() == HOSTILE_ID
    assert row.locator("td.name").inner_text() == HOSTILE_NAME
    row.click()
    expect(page.locator(".query-view h2")).to_have_text(HOSTILE_ID)
    assert page.locator(".card h3").inner_text() == HOSTILE_NAME
    assert page.locator(".card .ids").inner_text() == HOSTILE_IDS.replace(";", " ")
    assert page.locator(".card .ids a").count() == 0
    assert HOSTILE_SMILES in page.locator(".details").inner_text()
    assert HOSTILE_SMILES in page.locator(".structure-missing").inner_text()
    for card in page.locator(".card").all():
        card.hover()
    assert page.locator("script").count() == 1
    names = page.evaluate("[...document.querySelectorAll('*')].flatMap(node => node.getAttributeNames())")
    assert not [name for name in names if name.startswith("on")]
    assert page.evaluate("[...document.images].every(image => image.src.startsWith('data:image/svg+xml'))")


def test_the_policy_lets_nothing_else_run(page):
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.injected = 1";
        document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.injected = 1'>");
    }""")
    page.wait_for_timeout(100)
    assert page.evaluate("window.injected") is None
    assert any("Content Security Policy" in problem for problem in page.problems)
    page.problems.clear()


def test_without_scripts_the_same_stands_there(browser, address, picture):
    plain = browser.new_context(java_script_enabled=False, viewport={"width": 1200, "height": 900}).new_page()
    plain.goto(address)
    sections = plain.locator("section.query")
    assert sections.locator("h2").all_inner_texts() == list(CANDIDATES)
    assert plain.locator("#report").is_visible()
    text = plain.locator("#report").inner_text()
    for words in ("library match: standard, similarity 0.97", "No candidate: no molecule in the window.", "C6H8NO+",
                  "How to read this", HOSTILE_NAME, "library match 0.97"):  # fmt: skip
        assert words in text
    # seven structures, of which one cannot be drawn; six spectra of answered queries, one of them mirrored
    assert plain.locator("table.candidates img").count() == 7
    assert sections.locator("p img").count() == 7
    assert plain.locator("img.small").count() == 4
    plain.locator("a", has_text="caffeine").first.click()
    assert plain.url.endswith("#query-5")
    picture(plain, "without_scripts")
    plain.context.close()


def test_paper_has_the_plain_report(page, picture):
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("section.query:visible").count() == len(CANDIDATES)
    assert not page.locator("#live").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("location.hash = 'query-1'")
    page.locator(".one").first.wait_for(state="attached")
    assert page.locator("section.query:visible h2").all_inner_texts() == ["grouped"]
    picture(page, "print")
    page.emulate_media(media="screen", color_scheme="light")
    assert not page.locator("#report").is_visible()


def test_everything_that_is_used_has_a_name(page):
    nameless = """() => [...document.querySelectorAll("#live :is(button, a, input, select, img, svg, [role=button])")]
        .filter(node => !node.closest("[aria-hidden=true], [role=button]") || node.matches("[role=button]"))
        .filter(node => !(node.ariaLabel || node.textContent.trim() || node.alt || node.labels?.length))
        .map(node => node.outerHTML)"""
    assert page.evaluate(nameless) == []
    page.evaluate("location.hash = 'query-1'")
    page.locator(".query-view").wait_for()
    assert page.evaluate(nameless) == []
    assert page.locator("svg.spectrum").get_attribute("aria-label").startswith("Spectrum of grouped, 9 peaks.")
