"""What Galaxy leaves of a page when it cleans it for a browser: clean_page.py PAGE.html, by the server's Python."""

import html.parser
import sys
from pathlib import Path

from galaxy.util.sanitize_html import sanitize_html


class Page(html.parser.HTMLParser):
    """All words, elements, and texts in the place of pictures."""

    def __init__(self, text):
        super().__init__()
        self.words, self.elements, self.attributes, self.pictures = [], set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag == "img":
            self.pictures.append(dict(attributes)["alt"])

    def handle_data(self, data):
        self.words += data.split()


def main(path):
    text = Path(path).read_text(encoding="utf-8")
    whole, clean = Page(text), Page(sanitize_html(text))
    assert clean.words == whole.words, "words are lost or added"
    assert clean.pictures == whole.pictures, "texts of pictures are lost"
    left = {"script", "style", "link", "meta", "data-json", "src"} & (clean.elements | clean.attributes)
    assert not left, f"{left} is left"
    assert clean.elements >= {"table", "td", "h2", "a"}
    print(f"Galaxy leaves all {len(clean.words)} words of the page and the texts of {len(clean.pictures)} pictures")


if __name__ == "__main__":
    main(sys.argv[1])
