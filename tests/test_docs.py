"""What stands in help and README agrees with the commands."""

import importlib
import re
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CARD = "specbridge_tools/pretrained/MODEL_CARD.md"
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
COMMANDS = tuple(re.findall(r'^sb-([a-z-]+) = "specbridge_tools\.cli', PROJECT, re.MULTILINE))
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
    """Option string -> click parameter, those of the commands under it too."""
    command = command_of(name)
    commands = (*getattr(command, "commands", {}).values(), command)
    return {text: param for each in commands for param in each.params for text in (*param.opts, *param.secondary_opts)}


def run_python(code):
    """What it prints, and the CPU seconds that it takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_the_commands_are_those_of_the_design():
    assert len(COMMANDS) == 17
    assert "query" in COMMANDS


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_quick_and_ends_in_an_example(name):
    code = SHOW_HELP.format(module=name.replace("-", "_"), heavy=HEAVY)
    bare, seconds = [], []
    for _ in range(3):
        bare.append(run_python("import click")[1])
        shown, taken = run_python(code)
        seconds.append(taken)
    text, _, heavy = shown.rpartition("heavy:")
    assert heavy.split() == []
    example = text.partition("Example:\n")[2].splitlines()
    assert example, "no example"
    assert any(f"sb-{name} " in line or line.endswith(f"sb-{name}") for line in example)
    # machines differ fourfold: it is 1.6 times what Python and click take by themselves
    assert min(seconds) < 2.5 * min(bare)


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


@pytest.mark.parametrize("text", ["README.md", "examples/USAGE.md", "examples/cluster/README.md", CARD])
def test_texts_use_options_that_exist(text):
    for block in re.findall(r"```(?:sh|console)\n(.*?)```", (ROOT / text).read_text(encoding="utf-8"), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            for part in line.split("|"):
                called = re.search(r"(?:^|\s)sb-([a-z-]+)(\s.*)?$", part)
                if called:
                    used = re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", called[2] or "")
                    assert set(used) <= set(options_of(called[1])) | {"-h", "--help"}, line


def test_readme_has_all_its_figures():
    card = (ROOT / CARD).read_text(encoding="utf-8")
    assert "PENDING" not in README + card
    assert not re.search(r"@[A-Z_0-9]+@", README + card)
