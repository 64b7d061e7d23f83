"""The package as the tests of the architecture read it: every module with its syntax tree."""

import ast
import dataclasses
import functools
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "specbridge_tools"


@dataclasses.dataclass(frozen=True, eq=False)
class Module:
    """A module: `path` below the package, as `search/index/build.py`, and its text."""

    path: str
    text: str

    @property
    def name(self):
        """Dotted, without the package: `search.index.build`; '' for the package itself."""
        return self.path.removesuffix(".py").replace("/", ".").removesuffix("__init__").rstrip(".")

    @property
    def room(self):
        return self.name.partition(".")[0]

    @property
    def is_in_a_room(self):
        return "/" in self.path

    @functools.cached_property
    def tree(self):
        return ast.parse(self.text)

    @functools.cached_property
    def imports(self):
        """(line, dotted name) of everything imported, inside functions too, but not for types alone."""
        for_types = {id(node) for block in ast.walk(self.tree) if _is_for_types(block) for node in _body(block)}
        found = []
        for node in ast.walk(self.tree):
            if id(node) in for_types:
                continue
            if isinstance(node, ast.Import):
                found += [(node.lineno, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{self.path}:{node.lineno}: a relative import"
                found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
        return found

    def calls(self, *names):
        """Where functions are called, as `path:line`; names as they are written: `print`, `sys.exit`."""
        called = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        return [f"{self.path}:{node.lineno}" for node in called if ast.unparse(node.func) in names]


def _is_for_types(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _body(block):
    return [node for statement in block.body for node in ast.walk(statement)]


@functools.cache
def modules():
    package = ROOT / PACKAGE
    paths = sorted(package.rglob("*.py"))
    return tuple(Module(path.relative_to(package).as_posix(), path.read_text(encoding="utf-8")) for path in paths)


@functools.cache
def names():
    return frozenset(module.name for module in modules())


def own(imported):
    """An imported name -> the module of the package that it lies in, dotted ('' for the package); None for others."""
    top, _, name = imported.partition(".")
    if top != PACKAGE:
        return None
    while name and name not in names():
        name = name.rpartition(".")[0]
    return name
