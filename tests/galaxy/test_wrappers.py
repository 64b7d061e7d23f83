"""Every command has a Galaxy tool, and tools and commands agree; what a server does is tested by run.sh."""

import re
import sys
from pathlib import Path

import click
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from wrappers import COMMANDS, PROJECT, SUITE, path_of, tokens, wrapper

WITHOUT_TOOL = {
    "models": "looks after weights on a machine, and fetches them: for administrators, at a shell",
    "library": "builds ahead what a job would build, for all jobs of a server: for administrators, at a shell",
}
WRAPPED = tuple(name for name in COMMANDS if name not in WITHOUT_TOOL)
ARRAY_JOBS = "for array jobs: Galaxy maps tools over collections"
ANOTHER_FOLDER = "keeps files from run to run: a job's folder is thrown away"
GUARD = "guards the server, and no real spectrum comes near it"
WEIGHTS = "names a folder of weights on the machine"
MEASURING = "for measuring how good a search is, at a shell"
ABSENT = {
    "*": {
        "--help": "the tool has its own",
        "--version": "stands in version_command",
        "--quiet": "the closing line with the counts is wanted in the report of the job",
        "--debug": "for those who mend the command",
        "--shard": ARRAY_JOBS,
        "--skip-existing": ARRAY_JOBS,
        "--max-peaks": GUARD,
        "--max-fields": GUARD,
        "--max-record-size": GUARD,
    },
    "embed-mols": {
        "--device": "the encoders on offer run on the CPU",
        "--allow-download": "jobs have no network",
    },
    "query": {"--encoder": WEIGHTS, "--leave-out": MEASURING},
    "rerank": {"--encoder": WEIGHTS, "--leave-out": MEASURING},
    "train-ranking": {"--encoder": WEIGHTS, "--lists": ANOTHER_FOLDER},
    "evaluate": {"--leave-out": "is that of the search, which no tool offers"},
    "finetune": {
        "--preset": "needs published weights, which are no datasets",
        "--precision": "auto takes what suits the machine",
        "--resume": ANOTHER_FOLDER,
        "--cache-features": ANOTHER_FOLDER,
    },
}


def test_every_command_has_a_tool_or_a_reason():
    assert {path.name for path in SUITE.glob("specbridge_*.xml")} == {path_of(name).name for name in WRAPPED}
    assert set(WITHOUT_TOOL) < set(COMMANDS)


@pytest.mark.parametrize("name", WRAPPED)
def test_every_argument_is_an_option(name):
    tool = wrapper(name)
    options = tool.options
    assert tool.command_line.split()[0] == f"sb-{name}"
    assert {param.get("argument") for param in tool.params} <= set(options)
    assert tool.used <= set(options)


@pytest.mark.parametrize("name", WRAPPED)
def test_every_option_is_offered_or_left_out_for_a_reason(name):
    tool = wrapper(name)
    options = {param.opts[-1] for param in tool.command.params if isinstance(param, click.Option)}
    absent = set(ABSENT["*"]) | set(ABSENT.get(name, {}))
    assert options - absent == options & tool.used
    # a reason for an option that is offered, or is none, has outlived it
    assert set(ABSENT.get(name, {})) <= options - tool.used


@pytest.mark.parametrize("name", WRAPPED)
def test_defaults_and_limits_are_those_of_the_command(name):
    tool = wrapper(name)
    for param in tool.params:
        option = tool.options[param.get("argument")]
        default = option.default if isinstance(option.default, str | int | float) else None
        kind = param.get("type")
        if kind in ("integer", "float"):
            _check_number(param, option, default)
        elif kind == "text" and param.get("value"):
            assert param.get("value") == str(default), param.attrib
        elif kind == "boolean":
            assert (param.get("checked") == "true") == (option.default is True), param.attrib
            assert {param.get("truevalue"), param.get("falsevalue")} <= {*option.opts, *option.secondary_opts, ""}
        elif kind == "select" and isinstance(option.type, click.Choice):
            choices = [choice.get("value") for choice in param.iter("option")]
            chosen = [choice.get("value") for choice in param.iter("option") if choice.get("selected") == "true"]
            assert set(choices) <= set(option.type.choices), param.attrib
            assert (chosen or choices)[0] == default, param.attrib


def _check_number(param, option, default):
    # an option without a default of its own is given where its param is shown
    if param.get("value") and default is not None:
        assert float(param.get("value")) == float(default), param.attrib
    for edge, sign in (("min", 1), ("max", -1)):
        limit = getattr(option.type, edge, None)
        if limit is not None:
            assert param.get(edge) is not None, (edge, param.attrib)
            assert sign * float(param.get(edge)) >= sign * limit, (edge, param.attrib)


@pytest.mark.parametrize("name", WRAPPED)
def test_params_say_what_they_are(name):
    for param in wrapper(name).xml.find("inputs").iter("param"):
        assert param.get("label"), param.attrib


@pytest.mark.parametrize("name", WRAPPED)
def test_the_command_line_is_that_of_one_command(name):
    tool = wrapper(name)
    assert tool.xml.find("command").get("detect_errors") == "exit_code"
    assert tool.xml.find("version_command").text == f"sb-{name} --version"
    for param in tool.xml.find("inputs").iter("param"):
        if param.get("type") in ("data", "text"):
            _check_quoted(tool.command_line, param.get("name") or param.get("argument").strip("-").replace("-", "_"))


def _check_quoted(text, name):
    """Each `$name` or `$section.name` in what is given to the shell stands in single quotes."""
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        for word in line.replace("'", "\0'").split():
            bare = word.replace("\0", "")
            if bare.strip("'").split(".")[-1] == name and bare.lstrip("'").startswith("$"):
                assert "\0" in word, line


@pytest.mark.parametrize("name", WRAPPED)
def test_tests_assert_values_and_a_failure(name):
    tests = wrapper(name).xml.findall("tests/test")
    failing = [test for test in tests if test.get("expect_failure") == "true"]
    assert len(tests) - len(failing) >= 2
    for test in failing:
        assert [check.tag for check in test.find("assert_stderr")] == ["has_text"] * len(test.find("assert_stderr"))
    for test in tests:
        if test not in failing:
            assert int(test.get("expect_num_outputs")) >= 1
            assert test.find(".//assert_contents") is not None
    assert not [use for use in tests for use in use.iter() if {"lines_diff", "sim_size"} & set(use.attrib)]


@pytest.mark.parametrize("name", WRAPPED)
def test_help_says_all_that_users_ask(name):
    text = wrapper(name).xml.find("help").text
    for heading in ("**What it does**", "**Input**", "**Output**", "**Example**", "**Limits**"):
        assert heading in text, heading


def test_versions_agree():
    from specbridge_tools import __version__

    assert tokens()["@TOOL_VERSION@"] == __version__
    for name in WRAPPED:
        assert wrapper(name).xml.get("version") == f"{__version__}+galaxy{tokens()['@VERSION_SUFFIX@']}"
        packages = {each.text: each.get("version") for each in wrapper(name).xml.iter("requirement")}
        assert packages["specbridge_tools"] == __version__


def test_columns_of_tables_are_those_that_are_written():
    from specbridge_tools.evaluation import table
    from specbridge_tools.hits.hits import COLUMNS, ranked_columns, reranked_columns
    from specbridge_tools.identification.explained import COLUMNS as EXPLAINED_COLUMNS
    from specbridge_tools.records import Tally

    assert _column_names("evaluate", "metrics") == {tuple(table.COLUMNS)}
    assert tuple(tokens()["@HITS_COLUMNS@"].split(",")) == tuple(COLUMNS)
    assert tuple(tokens()["@RERANKED_COLUMNS@"].split(",")) == tuple(reranked_columns(COLUMNS))
    # the model that ships holds a ranking
    with_reference = ranked_columns(reranked_columns(COLUMNS, with_reference=True))
    assert tuple(tokens()["@REFERENCE_COLUMNS@"].split(",")) == tuple(with_reference)
    assert tuple(tokens()["@PEAKS_COLUMNS@"].split(",")) == tuple(EXPLAINED_COLUMNS)
    assert set().union(*(_column_names(name, "rejects") for name in WRAPPED)) == {Tally.COLUMNS}


def _column_names(name, output):
    """The different column names that a tool gives an output."""
    found = [data for data in wrapper(name).xml.iter("data") if data.get("name") == output]
    return {tuple(action.get("default").split(",")) for data in found for action in data.iter("action")}


def test_data_of_the_tests_are_small():
    assert sum(path.stat().st_size for path in (SUITE / "test-data").rglob("*") if path.is_file()) < 1_000_000


def test_the_conda_recipe_installs_what_the_package_needs():
    from specbridge_tools import __version__

    recipe = _rendered(SUITE / "conda/meta.yaml")
    assert recipe["package"] == {"name": "specbridge_tools", "version": __version__}
    entries = {f"sb-{name} = specbridge_tools.cli.{name.replace('-', '_')}:main" for name in COMMANDS}
    assert set(recipe["build"]["entry_points"]) == entries
    python = re.search(r'requires-python = "(.+)"', PROJECT)[1]
    needed = re.findall(
        r'^    "([a-z0-9_]+)(.*)",$', PROJECT.partition("\ndependencies = [")[2].partition("]")[0], re.M
    )
    needed += re.findall(r'^(?:graph|ivf|plot) = \["([a-z-]+)(.*?)"\]', PROJECT, re.M)
    assert len(needed) > 12
    conda = {"torch": "pytorch", "matplotlib": "matplotlib-base", "isal": "python-isal"}
    wanted = {f"python {python}", *(f"{conda.get(name, name)} {version}" for name, version in needed)}
    assert set(recipe["requirements"]["run"]) == wanted
    assert f"python {python}" in recipe["requirements"]["host"]


def _rendered(path):
    """A recipe as conda-build reads it."""
    jinja2, yaml = pytest.importorskip("jinja2"), pytest.importorskip("yaml")
    template = jinja2.Template(path.read_text(encoding="utf-8"), undefined=jinja2.StrictUndefined)
    return yaml.safe_load(template.render(PYTHON="python", pin_subpackage=lambda name, max_pin: f"{name} {max_pin}"))
