"""The help of every command and subcommand: an example at its end, defaults, units; that it is quick stands in
tests/test_docs.py."""

import importlib
import pkgutil
import re

import click
import pytest

from specbridge_tools import cli

UNITS = {
    ("sb-build-index", "--memory"): "MiB",
    ("sb-query", "--tolerance"): "ppm or Da",
    ("sb-finetune", "--tolerance"): "ppm or Da",
    ("sb-query", "--min-probability"): "probability",
    ("sb-split", "--threshold"): "Tanimoto similarity",
    ("sb-finetune", "--epochs"): "epochs",
    ("sb-finetune", "--patience"): "epochs",
    ("sb-finetune", "--batch-size"): "Spectra per step",
    ("sb-embed-spectra", "--batch-size"): "Records",
}


def _all_commands():
    """(name as it is called, click command) of each command and subcommand."""
    for module in pkgutil.iter_modules(cli.__path__):
        main = getattr(importlib.import_module(f"specbridge_tools.cli.{module.name}"), "main", None)
        if main is not None:
            yield main.name, main
        for name, command in getattr(main, "commands", {}).items():
            yield f"{main.name} {name}", command


COMMANDS = dict(_all_commands())


def help_of(name):
    context = click.Context(COMMANDS[name], info_name=name, **COMMANDS[name].context_settings)
    return COMMANDS[name].get_help(context)


def options_of(name):
    return [param for param in COMMANDS[name].params if isinstance(param, click.Option)]


def entry(text, option):
    """What the help says of an option, on one line."""
    return " ".join(re.search(rf"(?ms)^  (?:-\w, )?{option}\b.*?(?=^  -|^ *$|\Z)", text)[0].split())


@pytest.mark.parametrize("name", COMMANDS)
def test_it_ends_in_an_example_of_the_command(name):
    head, _, example = help_of(name).partition("\n  Example:\n")
    assert example, "no example"
    assert re.search(rf"^    (.*\| )?{name}( |$)", example, re.MULTILINE)
    assert head.startswith(f"Usage: {name} ")


@pytest.mark.parametrize("name", COMMANDS)
def test_options_say_their_defaults(name):
    text = help_of(name)
    for param in options_of(name):
        written = entry(text, param.opts[-1])
        if param.is_flag or param.default in (None, ()) or not isinstance(param.default, str | int | float | tuple):
            continue
        value = ", ".join(param.default) if isinstance(param.default, tuple) else str(param.default)
        assert f"[default: {value}" in written, written


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_described_in_a_sentence(name):
    for param in options_of(name):
        assert re.match(r"[A-Z].*[.\]]$|cpu, |auto: |default \(|- is", param.help), (param.opts, param.help)


@pytest.mark.parametrize(("name", "option"), UNITS)
def test_units_are_named(name, option):
    assert UNITS[name, option] in entry(help_of(name), option)


def test_an_option_has_one_meaning():
    """Options of one name take the same kind of value in all commands; those that cannot are listed."""
    of_its_own = {"--input-format", "--format", "--encoder", "--spectra", "--batch-size", "--output"}
    kinds = {}
    for name in COMMANDS:
        for param in options_of(name):
            if param.opts[-1] not in of_its_own:
                # a model, or for vectors of its own an encoder in place of one
                metavar = (param.metavar or "").partition("|")[0]
                kind = (param.type.to_info_dict(), metavar, param.is_flag)
                assert kinds.setdefault(param.opts[-1], kind) == kind, (name, param.opts)
