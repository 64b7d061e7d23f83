"""The house rules that machines hold: sizes, no print or exit, no pickle, nothing online, no questions by `hasattr`."""

import ast
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from tree import modules

MODULE_LINES = 300
FUNCTION_LINES = 60
# Functions that are longer than that. This list only shrinks.
LONG_FUNCTIONS = frozenset()

PICKLES = frozenset({"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"})
# reads published checkpoints without running what is in them
UNPICKLER = "weights/torch_checkpoint.py"
# the name of an error, which readers of foreign weights raise
HARMLESS = ("pickle.PickleError", "pickle.UnpicklingError")

NETWORK = frozenset(
    {"aiohttp", "ftplib", "http", "httpx", "huggingface_hub", "requests", "smtplib", "socket", "ssl", "urllib3"}
)
NETWORK_PARTS = ("urllib.request", "urllib.error")
# `sb-models fetch` and `--allow-download`
ONLINE = "weights/fetch.py"
# the name of this machine, which goes into those of temporary files
OFFLINE = {("temporary.py", "socket")}


def functions(module):
    """(name, number of lines) of every function, the lines of its docstring left out: they may explain at length."""
    defined = (node for node in ast.walk(module.tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return [(f"{module.path}:{node.name}", _lines(node) - _docstring_lines(node)) for node in defined]


def _lines(node):
    return node.end_lineno - node.lineno + 1


def _docstring_lines(function):
    return 0 if ast.get_docstring(function) is None else _lines(function.body[0])


def importers(names, parts=()):
    """(path, imported name) of every module that imports one of these, inside a function too."""
    return {
        (module.path, imported)
        for module in modules()
        for _, imported in module.imports
        if imported.partition(".")[0] in names or imported.startswith(parts)
    }


def test_a_module_fits_on_a_few_screens():
    assert [module.path for module in modules() if len(module.text.splitlines()) > MODULE_LINES] == []


def test_a_function_does_one_step():
    long = {name for module in modules() for name, lines in functions(module) if lines > FUNCTION_LINES}
    assert long <= LONG_FUNCTIONS
    assert long >= LONG_FUNCTIONS, "shorter now: take it off the list"


def test_the_library_neither_prints_nor_exits():
    library = [module for module in modules() if module.room != "cli"]
    assert [place for module in library for place in module.calls("print", "sys.exit", "exit", "quit")] == []


def test_no_pickle():
    assert {path for path, imported in importers(PICKLES) if imported not in HARMLESS} == {UNPICKLER}
    loaded = [
        f"{module.path}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "torch.save")
        if not any(word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in node.keywords)
    ]
    assert loaded == []


def test_nothing_goes_online_but_the_module_that_may():
    assert {path for path, _ in importers(NETWORK, NETWORK_PARTS) - OFFLINE} == {ONLINE}


def test_capabilities_are_protocols_and_base_classes():
    """A room asks by `isinstance` what an encoder can do; `hasattr` only tells an open file from a path."""
    asked = [
        f"{module.path}:{node.lineno}: {ast.unparse(node)}"
        for module in modules()
        if module.is_in_a_room
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "hasattr"
    ]
    assert [question for question in asked if not question.endswith(", 'read')")] == []


def test_every_module_says_what_it_is_for():
    undocumented = [module.path for module in modules() if module.text.strip() and not ast.get_docstring(module.tree)]
    assert undocumented == []
