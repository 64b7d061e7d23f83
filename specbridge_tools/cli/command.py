"""How every command behaves: help with an example, one-line errors, exit status, logging, signals."""

import contextlib
import itertools
import logging
import os
import signal
import sys

import click

from specbridge_tools import __version__
from specbridge_tools.errors import EXIT_BAD_DATA, EXIT_TRY_AGAIN, SpecbridgeError
from specbridge_tools.interrupts import end_on_signals
from specbridge_tools.streams import TRY_AGAIN

_CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100}


class Command(click.Command):
    """A click command whose errors end in one line on stderr and the error's exit status."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # here, since click's own main would turn it into status 1
            _end_for_closed_pipe()

    def main(self, *args, standalone_mode=True, **kwargs):
        kwargs.setdefault("prog_name", self.name)
        if not standalone_mode:
            return super().main(*args, standalone_mode=False, **kwargs)
        end_on_signals()
        try:
            status = super().main(*args, standalone_mode=False, **kwargs)
            if sys.stdout is not None:
                sys.stdout.flush()
            sys.exit(status if isinstance(status, int) else 0)
        except click.ClickException as error:
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
            click.echo(f"{self.name}: interrupted", err=True)
            sys.exit(128 + signal.SIGINT)
        except MemoryError as error:
            self._fail(error, EXIT_BAD_DATA, "out of memory; use fewer threads or a smaller batch")
        except RuntimeError as error:
            if not _is_full_gpu(error):
                raise
            self._fail(error, EXIT_TRY_AGAIN, "no memory left on the GPU; use a smaller --batch-size, or --device cpu")

    def _fail(self, error, status, text=None):
        if "--debug" in sys.argv:
            raise error
        click.echo(f"{self.name}: {_shard()}error: {text or error}", err=True)
        if status == EXIT_TRY_AGAIN:
            _abandon_stdout()
        sys.exit(status)


def _end_for_closed_pipe():
    # the reader has left (head, less): end quietly, with the status of a process that SIGPIPE ended
    _abandon_stdout()
    sys.exit(128 + signal.SIGPIPE)


def _abandon_stdout():
    # what is still buffered cannot be written: else Python tries again at its end and complains
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _shard():
    """`shard 3/8: ` where this is the task of an array job: its message stands among those of many others."""
    for word, following in itertools.zip_longest(sys.argv, sys.argv[1:], fillvalue=""):
        option, _, value = word.partition("=")
        if option == "--shard":
            return f"shard {value or following}: "
    return ""


def _is_full_gpu(error):
    # torch's own class; torch is not imported here
    return type(error).__name__ == "OutOfMemoryError" and type(error).__module__.startswith("torch")


class Group(Command, click.Group):
    """A command with further commands under it."""


def command(name, *, example, group=None, **settings):
    """Decorator: a command `name` with the options that all share; `example` is printed at the end of `--help`.

    `group` (`Group`) makes one with further commands, which `subcommand` adds.
    """

    def decorate(function):
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
        epilog = "\b\nExample:\n" + "\n".join(f"  {line}" for line in example.strip().splitlines())
        return click.command(name, cls=group or Command, epilog=epilog, context_settings=_CONTEXT, **settings)(function)

    return decorate


def subcommand(group, name):
    """Decorator: a command under `group`; its errors are those of the group."""
    return group.command(name, context_settings=_CONTEXT)


def _set_up_logging(context, option, debug):
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.INFO,
        format=f"{context.info_name}: %(message)s",
        stream=sys.stderr,
        force=True,
    )
    for name in ("h5py", "hnswlib", "matplotlib", "transformers", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)


def closing_line(text, *, quiet=False):
    """Print the last line of a command, its counts, on stderr."""
    if not quiet:
        with contextlib.suppress(BrokenPipeError):
            click.echo(text, err=True)
