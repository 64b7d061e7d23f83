"""What stands in help, README and Galaxy wrappers agrees with the commands."""

import importlib
import re
import resource
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WRAPPERS = ROOT / "galaxy_wrappers"
COMMANDS = tuple(re.findall(r'^    "([a-z-]+)",$', (ROOT / "setup.py").read_text(), re.MULTILINE))
WITHOUT_WRAPPER = ("info", "models", "convert")
WRAPPED = tuple(name for name in COMMANDS if name not in WITHOUT_WRAPPER)
HEAVY = ("torch", "rdkit", "numpy", "scipy", "h5py", "transformers", "matplotlib")
SHOW_HELP = """
import sys
from specbridge_tools.cli.{module} import main
try:
    main(["--help"])
finally:
    print("heavy:", *(name for name in {heavy} if name in sys.modules))
"""


def command_of(name):
    return importlib.import_module(f"specbridge_tools.cli.{name.replace('-', '_')}").main


def options_of(name):
    """Option string -> click parameter."""
    return {text: param for param in command_of(name).params for text in (*param.opts, *param.secondary_opts)}


def cpu_seconds_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_the_commands_are_those_of_the_design():
    assert len(COMMANDS) == 12
    assert "query" in COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_quick_and_ends_in_an_example(name):
    code = SHOW_HELP.format(module=name.replace("-", "_"), heavy=HEAVY)
    seconds = []
    for _ in range(3):
        before = cpu_seconds_of_children()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
        seconds.append(cpu_seconds_of_children() - before)
    text, _, heavy = done.stdout.rpartition("heavy:")
    assert heavy.split() == []
    example = text.partition("Example:\n")[2].splitlines()
    assert example, "no example"
    assert any(f"sb-{name} " in line or line.endswith(f"sb-{name}") for line in example)
    assert min(seconds) < 0.3


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help(name):
    for param in command_of(name).params:
        if isinstance(param, click.Option):
            assert param.help, param.opts


@pytest.mark.parametrize("name", COMMANDS)
def test_example_uses_options_that_exist(name):
    example = click.unstyle(command_of(name).epilog)
    for line in example.splitlines():
        for part in line.split("|"):
            words = part.split()
            words = words[words.index(f"sb-{name}") :] if f"sb-{name}" in words else []
            used = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
            assert set(used) <= set(options_of(name)), line


@pytest.mark.parametrize("name", COMMANDS)
def test_readme_has_the_command_in_its_table(name):
    assert re.search(rf"^\| `sb-{name}[` ]", README, re.MULTILINE)


def test_readme_uses_options_that_exist():
    for block in re.findall(r"```(?:sh|console)\n(.*?)```", README, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            for part in line.split("|"):
                called = re.search(r"(?:^|\s)sb-([a-z-]+)(\s.*)?$", part)
                if called:
                    used = re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", called[2] or "")
                    assert set(used) <= set(options_of(called[1])) | {"-h", "--help"}, line


def test_readme_has_all_its_figures():
    card = (ROOT / "specbridge_tools/pretrained/MODEL_CARD.md").read_text(encoding="utf-8")
    assert "PENDING" not in README + card
    assert not re.search(r"@[A-Z_0-9]+@", README + card)


def wrapper_of(name):
    """The tool's XML with the macros it expands put in place, as far as params go."""
    tree = ET.parse(WRAPPERS / f"specbridge_{name.replace('-', '_')}.xml").getroot()
    macros = {xml.get("name"): xml for xml in ET.parse(WRAPPERS / "macros.xml").getroot().iter("xml")}
    params, expanded = list(tree.iter("param")), [tree]
    for element in expanded:
        for use in element.iter("expand"):
            macro = macros[use.get("macro")]
            expanded.append(macro)
            params += macro.iter("param")
    return tree, [param for param in params if param.get("argument")]


@pytest.mark.parametrize("name", WRAPPED)
def test_every_argument_of_the_wrapper_is_an_option(name):
    tree, params = wrapper_of(name)
    options = options_of(name)
    assert params
    for param in params:
        assert param.get("argument") in options, param.attrib
    used = set(re.findall(r"(?<!\S)(--[a-z][a-z-]*)", tree.find("command").text))
    assert used <= set(options), used - set(options)
    assert tree.find("command").text.split()[0] == f"sb-{name}"


@pytest.mark.parametrize("name", WRAPPED)
def test_defaults_of_the_wrapper_are_those_of_the_command(name):
    options = options_of(name)
    for param in wrapper_of(name)[1]:
        option = options[param.get("argument")]
        default = option.default if isinstance(option.default, str | int | float) else None
        kind = param.get("type")
        if kind in ("integer", "float") and param.get("value"):
            assert float(param.get("value")) == float(default), param.attrib
        elif kind == "text" and param.get("value"):
            assert param.get("value") == str(default), param.attrib
        elif kind == "select" and isinstance(option.type, click.Choice):
            chosen = [choice.get("value") for choice in param.iter("option") if choice.get("selected") == "true"]
            values = [choice.get("value") for choice in param.iter("option")]
            assert set(values) - {""} <= set(option.type.choices), param.attrib
            assert (chosen or values)[0] == (default or ""), param.attrib
        elif kind == "boolean":
            assert param.get("checked", "false") == str(option.default is True).lower(), param.attrib
            assert {param.get("truevalue"), param.get("falsevalue")} <= {
                param.get("argument"),
                *option.opts,
                *option.secondary_opts,
                "",
            }


@pytest.mark.parametrize("name", WRAPPED)
def test_wrapper_has_what_a_reviewer_wants(name):
    tree, _ = wrapper_of(name)
    order = [child.tag for child in tree]
    wanted = ["description", "macros", "command", "inputs", "outputs", "tests", "help"]
    assert [tag for tag in order if tag in wanted] == wanted
    assert tree.get("version") == "@TOOL_VERSION@+galaxy@VERSION_SUFFIX@"
    assert tree.find("command").get("detect_errors") == "exit_code"
    tests = tree.findall("tests/test")
    assert len(tests) >= 2
    assert any(test.get("expect_failure") == "true" for test in tests)
    text = ET.tostring(tree, encoding="unicode")
    assert "sim_size" not in text
    assert "lines_diff" not in text


def test_wrappers_name_the_version_of_the_package():
    from specbridge_tools import __version__

    tokens = {token.get("name"): token.text for token in ET.parse(WRAPPERS / "macros.xml").getroot().iter("token")}
    assert tokens["@TOOL_VERSION@"] == __version__


def test_test_data_of_the_wrappers_is_small():
    assert sum(path.stat().st_size for path in (WRAPPERS / "test-data").rglob("*") if path.is_file()) < 1_000_000
