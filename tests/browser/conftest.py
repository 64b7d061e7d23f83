"""The page of sb-report in a real Chromium: `tests/browser/run.sh` installs it and runs these tests.

SPECBRIDGE_BROWSER=1 makes a browser that is missing a failure; SPECBRIDGE_SCREENSHOTS names a folder for pictures.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
BIN = Path(sys.executable).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDE = {"width": 1400, "height": 960}
COMMANDS = """
sb-build-reference standards.mgf -o standards.h5 --encoder toy -q
sb-report hits.jsonl --spectra spectra.mgf --group-by feature --reference standards.h5 -o page.html -q
"""


def pytest_collection_modifyitems(items):
    missing = "no Chromium" if CHROMIUM is None else None
    if importlib.util.find_spec("playwright") is None:
        missing = "playwright is not installed"
    for item in items:
        if missing and not os.environ.get("SPECBRIDGE_BROWSER") and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """The page as a file."""
    from page_files import write_files

    folder = tmp_path_factory.mktemp("page")
    write_files(folder)
    for line in COMMANDS.strip().splitlines():
        name, *arguments = line.split()
        done = subprocess.run([BIN / name, *arguments], cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    return (folder / "page.html").as_uri()


@pytest.fixture(scope="session")
def expect():
    """For what comes a moment later, such as another query."""
    from playwright.sync_api import expect

    return expect


@pytest.fixture(scope="module")
def browser():
    # not for the whole session: its event loop would be that of tests elsewhere
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "no Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def tab(browser):
    """One tab for all tests with scripts; what goes wrong in it is kept in `problems`."""
    tab = browser.new_page(viewport=WIDE)
    tab.set_default_timeout(15000)
    tab.problems = []
    tab.on("pageerror", lambda error: tab.problems.append(str(error)))
    tab.on("console", lambda message: tab.problems.append(message.text) if message.type == "error" else None)
    tab.on("dialog", lambda dialog: (tab.problems.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: tab.problems.append(request.url) if request.url.startswith("http") else None)
    return tab


@pytest.fixture
def page(tab, address):
    """All queries, as the page opens."""
    tab.goto("about:blank")
    tab.emulate_media(color_scheme="light", media="screen")
    tab.goto(address)
    yield tab
    assert tab.problems == []
    assert tab.evaluate("window.hacked") is None


@pytest.fixture(scope="session")
def picture():
    """Keep a picture of a tab under a name: picture(tab, "overview"), where a folder is named for them."""
    folder = os.environ.get("SPECBRIDGE_SCREENSHOTS")

    def take(tab, name):
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            tab.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    return take
