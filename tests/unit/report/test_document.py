import base64
import hashlib
import html
import io
import re

from specbridge_tools.report.document import foot, head, nonce_of


def script_of(text):
    source = re.search(r'src="data:text/javascript;base64,([^"]*)"', text)
    return base64.b64decode(source[1])


def test_the_policy_names_the_script_and_nothing_else():
    end = foot("00ff")
    digest = "sha256-" + base64.b64encode(hashlib.sha256(script_of(end)).digest()).decode()
    assert f'integrity="{digest}"' in end
    assert 'nonce="00ff"' in end
    assert end.count("<script") == 1
    policy = re.search(r'content="(default-src[^"]*)"', head("00ff"))
    assert html.unescape(policy[1]) == (
        f"default-src 'none'; img-src data:; style-src data:; script-src '{digest}' 'nonce-00ff'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_script_never_parses_text_as_markup():
    script = script_of(foot("0")).decode()
    assert len(script) < 60_000
    code = re.sub(r"^\s*//.*$", "", script, flags=re.MULTILINE)
    for name in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "DOMParser"):
        assert name not in code


def test_the_nonce_is_that_of_the_content():
    first, same, other = (nonce_of(io.BytesIO(content)) for content in (b"hits", b"hits", b"hits "))
    assert first == same != other
    assert re.fullmatch("[0-9a-f]{32}", first)
