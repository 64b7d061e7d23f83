"""The picture at the top of the README, of a query on a page of sb-report: picture.py PAGE.html QUERY OUT.png.

The second candidate is laid beside the first, and the highest peak that one of them explains is chosen.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SIZE = {"width": 1360, "height": 1340}


def main(page, query, destination):
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = chromium.new_page(viewport=SIZE)
        tab.goto(Path(page).resolve().as_uri())
        tab.locator("table.queries td.query a", has_text=query).first.click()
        tab.get_by_role("button", name="lay candidate 2 beside").click()
        row = tab.locator(".peaks-table tbody tr").first
        row.dispatch_event("pointerenter")
        tab.screenshot(path=destination)
        chromium.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
