"""The Galaxy wrappers as the tests read them: macros expanded, tokens replaced."""

import copy
import dataclasses
import functools
import importlib
import re
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "galaxy_wrappers"
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
COMMANDS = tuple(re.findall(r'^sb-([a-z-]+) = "specbridge_tools\.cli', PROJECT, re.MULTILINE))


@dataclasses.dataclass(frozen=True)
class Wrapper:
    """A tool: its XML without macros, and the click command that it wraps."""

    name: str
    xml: ET.Element
    command: object

    @property
    def command_line(self):
        return self.xml.find("command").text

    @property
    def params(self):
        """The params that name an option of the command."""
        return [param for param in self.xml.find("inputs").iter("param") if param.get("argument")]

    @property
    def options(self):
        """Option, such as `--top`, -> click parameter."""
        return {text: param for param in self.command.params for text in (*param.opts, *param.secondary_opts)}

    @property
    def used(self):
        """The options that the tool can give to the command."""
        values = {param.get("truevalue") for param in self.xml.find("inputs").iter("param")}
        return set(re.findall(r"(?<!\S)(--[a-z][a-z-]*)", self.command_line)) | (values & set(self.options))


def path_of(name):
    return SUITE / f"specbridge_{name.replace('-', '_')}.xml"


def command_of(name):
    return importlib.import_module(f"specbridge_tools.cli.{name.replace('-', '_')}").main


@functools.cache
def tokens():
    return {token.get("name"): token.text or "" for token in ET.parse(SUITE / "macros.xml").getroot().iter("token")}


@functools.cache
def wrapper(name):
    macros = {macro.get("name"): macro for macro in ET.parse(SUITE / "macros.xml").getroot().iter("xml")}
    root = ET.parse(path_of(name)).getroot()
    _expand(root, macros)
    for element in root.iter():
        element.text = _replaced(element.text)
        for key, value in element.attrib.items():
            element.set(key, _replaced(value))
    return Wrapper(name, root, command_of(name))


def _expand(element, macros):
    """Put macros in the place of `<expand>`, and what stands within that in the place of `<yield/>`."""
    for child in list(element):
        if child.tag != "expand":
            _expand(child, macros)
            continue
        body = copy.deepcopy(macros[child.get("macro")])
        for parent in list(body.iter()):
            for place in parent.findall("yield"):
                at = list(parent).index(place)
                parent[at : at + 1] = list(child)
        _expand(body, macros)
        at = list(element).index(child)
        element[at : at + 1] = list(body)


def _replaced(text):
    for name, value in tokens().items() if text else ():
        text = text.replace(name, value)
    return text
