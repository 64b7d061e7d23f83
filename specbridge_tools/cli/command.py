"""How every command behaves: help with an example, one-line errors, exit status, logging, signals."""

from __future__ import annotations

import atexit
import contextlib
import gc
import itertools
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import click

from specbridge_tools import __version__
from specbridge_tools.errors import EXIT_BAD_DATA, EXIT_TRY_AGAIN, SpecbridgeError
from specbridge_tools.interrupts import end_in_time, end_on_signals
from specbridge_tools.streams import TRY_AGAIN

_CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100}


def say(text: str) -> None:
    """Print one message as one line on stderr; every message of a command comes through here or through the log."""
    with contextlib.suppress(BrokenPipeError):
        click.echo(printable(text), err=True)


def printable(text: str) -> str:
    r"""A message as one line that cannot change the terminal, whatever the names of files and records hold.

    Line breaks become spaces, all other characters that are not printable become escapes such as `\x1b` and `\t`.
    """
    line = re.sub(r"\r?\n", " ", text)
    return line if line.isprintable() else "".join(map(_visible, line))


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


class Command(click.Command):
    """A click command whose errors end in one line on stderr and the error's exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader that left ends it quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # here, since click's own main would turn it into status 1
            _end_for_closed_pipe()

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command as a process of its own, or as click does where not `standalone_mode`."""
        prog_name = prog_name or self.name
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        end_on_signals()
        end_in_time()
        _collect_seldom()
        try:
            status = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            if sys.stdout is not None:
                sys.stdout.flush()
            sys.exit(status if isinstance(status, int) else 0)
        except click.ClickException as error:
            error.message = printable(error.message)  # type: ignore[misc]  # final, but shown as it is
            error.show()
            sys.exit(error.exit_code)
        except SpecbridgeError as error:
            self._fail(error, error.exit_status)
        except BrokenPipeError:
            _end_for_closed_pipe()
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            status = EXIT_TRY_AGAIN if error.errno in TRY_AGAIN else EXIT_BAD_DATA
            self._fail(error, status, f"{place}{error.strerror or error}")
        except (KeyboardInterrupt, click.Abort):
            say(f"{self.name}: interrupted")
            sys.exit(128 + signal.SIGINT)
        except MemoryError as error:
            self._fail(error, EXIT_BAD_DATA, "out of memory; use fewer threads or a smaller batch")
        except RuntimeError as error:
            if not _is_full_gpu(error):
                raise
            self._fail(error, EXIT_TRY_AGAIN, "no memory left on the GPU; use a smaller --batch-size, or --device cpu")

    def _fail(self, error: BaseException, status: int, text: str | None = None) -> NoReturn:
        if "--debug" in sys.argv:
            raise error
        say(f"{self.name}: {_shard()}error: {text or error}")
        if status == EXIT_TRY_AGAIN:
            _abandon_stdout()
        sys.exit(status)


def _collect_seldom() -> None:
    """Look for garbage less often, and not at the end: in the modules that a command imports there is none.

    It took a tenth of the time of a query of one spectrum.
    """
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.disable)


def _end_for_closed_pipe() -> NoReturn:
    # the reader has left (head, less): end quietly, with the status of a process that SIGPIPE ended
    _abandon_stdout()
    sys.exit(128 + signal.SIGPIPE)


def _abandon_stdout() -> None:
    # what is still buffered cannot be written: else Python tries again at its end and complains
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _shard() -> str:
    """`shard 3/8: ` for a task of an array job, whose messages stand among those of many others."""
    for word, following in itertools.zip_longest(sys.argv, sys.argv[1:], fillvalue=""):
        option, _, value = word.partition("=")
        if option == "--shard":
            return f"shard {value or following}: "
    return ""


def _is_full_gpu(error: RuntimeError) -> bool:
    # torch's own class; torch is not imported here
    return type(error).__name__ == "OutOfMemoryError" and type(error).__module__.startswith("torch")


class Group(Command, click.Group):
    """A command with further commands under it; it does something itself without any of them."""


def command(name: str, *, example: str) -> Callable[[Callable[..., object]], Command]:
    """Decorator: a command with the options that all commands have.

    Args:
        name: As it is called, `sb-query`.
        example: Printed at the end of `--help`.
    """
    return lambda function: click.command(name, cls=Command, epilog=_epilog(example), context_settings=_CONTEXT)(
        _with_common_options(name, function)
    )


def group(name: str, *, example: str) -> Callable[[Callable[..., object]], Group]:
    """Decorator: like `command`, with further commands, which `subcommand` adds."""
    return lambda function: click.command(
        name, cls=Group, epilog=_epilog(example), context_settings=_CONTEXT, invoke_without_command=True
    )(_with_common_options(name, function))


def subcommand(parent: Group, name: str, *, example: str) -> Callable[[Callable[..., object]], click.Command]:
    """Decorator: a command under `parent`, whose errors are those of the parent."""
    return parent.command(name, epilog=_epilog(example), context_settings=_CONTEXT)


def _with_common_options(name: str, function: Callable[..., object]) -> Callable[..., object]:
    for option in (
        click.version_option(__version__, "--version", prog_name=name),
        click.option(
            "--debug",
            is_flag=True,
            expose_value=False,
            callback=_set_up_logging,
            help="Show tracebacks and debug messages.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="No progress bar and no closing line."),
    ):
        function = option(function)
    return function


def _epilog(example: str) -> str:
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in example.strip().splitlines())


class _OneLine(logging.Formatter):
    """Log messages as `printable` makes them; tracebacks, which --debug shows, keep their lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record))


def _set_up_logging(context: click.Context, option: click.Parameter, debug: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine(f"{context.info_name}: %(message)s"))
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)  # of libraries, which are for those who mend the command
    logging.getLogger("py.warnings").setLevel(logging.WARNING if debug else logging.ERROR)
    for name in ("h5py", "hnswlib", "matplotlib", "transformers", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)


def closing_line(text: str, *, quiet: bool = False) -> None:
    """Print the last line of a command, its counts, on stderr."""
    if not quiet:
        say(text)


def group_is_quiet() -> bool:
    """Whether -q was given to the group of the current subcommand."""
    parent = click.get_current_context().parent
    return parent is not None and bool(parent.params["quiet"])
