"""The reference of all commands, from click: python tests/docs/commands_reference.py > examples/COMMANDS.md"""

import importlib
import inspect
import re
import sys
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]
COMMANDS = re.findall(r'^(sb-[a-z-]+) = "(.+):main"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
SHARED = ("--quiet", "--debug", "--version", "--help")
HEAD = """# All commands and their options

Made from the commands' own help by `python tests/docs/commands_reference.py > examples/COMMANDS.md`; a test keeps it
true.

`-h, --help`, `--version`, `-q, --quiet` (no progress bar and no closing line) and `--debug` (tracebacks and debug
messages) go with every command, and are left out below.
"""


def reference():
    """The whole page."""
    sections = [HEAD, "\n".join(f"* [`{name}`](#{name})" for name, _ in COMMANDS) + "\n"]
    for name, module in COMMANDS:
        command = importlib.import_module(module).main
        sections.append("\n".join(_section(name, command, "##")))
        for word, subcommand in getattr(command, "commands", {}).items():
            sections.append("\n".join(_section(f"{name} {word}", subcommand, "###")))
    return "\n".join(sections)


def _section(name, command, heading):
    context = click.Context(command, info_name=name, show_default=True, max_content_width=1000)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"{heading} {name}", "```text", f"{name} {usage}", "```", _prose(command.help or ""), ""]
    shown = [param for param in command.params if isinstance(param, click.Option) and not set(param.opts) & set(SHARED)]
    if options := [param.get_help_record(context) for param in shown if not param.hidden]:
        lines += ["| option | what |", "| --- | --- |"]
        lines += [f"| `{_cell(words)}` | {_cell(text)} |" for words, text in options]
        lines.append("")
    if command.epilog:
        example = inspect.cleandoc(command.epilog.partition("Example:\n")[2])
        lines += ["```sh", example, "```", ""]
    return lines


def _prose(text):
    paragraphs = inspect.cleandoc(text).replace("\b\n", "").split("\n\n")
    return "\n\n".join(" ".join(_escaped(paragraph).split()) for paragraph in paragraphs)


def _cell(text):
    return " ".join(text.split()).replace("|", "\\|")


def _escaped(text):
    # Markdown would take what stands between as a tag
    return text.replace("<", "\\<")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.stdout.write(reference())
