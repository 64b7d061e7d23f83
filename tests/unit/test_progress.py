"""A bar on a terminal, silence elsewhere."""

import io
import sys

import pytest

from specbridge_tools.progress import SilentProgress, TerminalProgress, progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def show(monkeypatch, stream, **settings):
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with progress("reading [M+H]+", total=3, **settings) as display:
        display.advance()
        display.advance(2)
        display.note(loss=0.25, adduct="[/M-H]-")
    return display, stream.getvalue()


def test_nothing_is_written_into_a_pipe(monkeypatch):
    display, text = show(monkeypatch, io.StringIO())
    assert type(display) is SilentProgress
    assert text == ""


def test_nothing_is_written_when_quiet(monkeypatch):
    display, text = show(monkeypatch, Terminal(), quiet=True)
    assert type(display) is SilentProgress
    assert text == ""


def test_terminal_shows_counts_and_notes(monkeypatch):
    display, text = show(monkeypatch, Terminal())
    assert type(display) is TerminalProgress
    assert "reading [M+H]+" in text
    assert "3/3" in text


def test_both_displays_have_the_same_methods():
    methods = {name for name in dir(SilentProgress) if not name.startswith("_")}
    assert methods == {name for name in dir(TerminalProgress) if not name.startswith("_")} == {"advance", "note"}
    with pytest.raises(TypeError):
        SilentProgress().note("unnamed")
