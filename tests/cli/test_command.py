"""The frame of every command: exit status, one-line errors, signals, closed pipes; each in a process of its own."""

import os
import signal
import subprocess
import sys

import pytest

from specbridge_tools import __version__

HEAD = """
import errno, sys, time
import click
from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.errors import DataError, MismatchError, TryAgainError, UsageError
from specbridge_tools.streams import output_path, output_text

@command("sb-try", example="sb-try spectra.mgf -o out.tsv\\nsb-try - < spectra.mgf")
@click.option("--top", default=20, help="Rows.")
def main(top, quiet):
    \"\"\"Try.\"\"\"
"""


def script(body):
    return [sys.executable, "-c", HEAD + "\n".join(f"    {line}" for line in body.strip().splitlines()) + "\nmain()"]


def attempt(body, *arguments, **settings):
    return subprocess.run([*script(body), *arguments], capture_output=True, text=True, timeout=60, **settings)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("DataError('bad')", 1),
        ("UsageError('bad')", 2),
        ("MismatchError('bad')", 3),
        ("TryAgainError('bad')", 75),
        ("OSError(errno.EMFILE, 'bad')", 1),
        ("OSError(errno.ENOSPC, 'bad')", 75),
        ("OSError(errno.EIO, 'bad')", 75),
        ("OSError(errno.ESTALE, 'bad')", 75),
        ("click.UsageError('bad')", 2),
    ],
)
def test_error_is_one_line_and_its_status(error, status):
    done = attempt(f"raise {error}")
    assert done.returncode == status
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith("bad")
    if "click" not in error:
        assert done.stderr == "sb-try: error: bad\n"


def test_error_of_the_system_names_its_file():
    assert attempt("open('/missing.mgf')").stderr == "sb-try: error: /missing.mgf: No such file or directory\n"


def test_no_memory_is_one_line():
    done = attempt("raise MemoryError")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "out of memory" in done.stderr


def test_debug_shows_the_traceback():
    done = attempt("raise DataError('bad')", "--debug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"), [(("--nonsense",), "No such option"), (("--top", "many"), "not a valid int")]
)
def test_wrong_usage_is_status_2(arguments, message):
    done = attempt("print('never')", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message.lower() in done.stderr.lower()
    assert "Usage: sb-try" in done.stderr


def test_help_ends_in_the_example():
    done = attempt("print('never')", "--help")
    assert done.returncode == 0
    assert done.stdout.endswith("  Example:\n    sb-try spectra.mgf -o out.tsv\n    sb-try - < spectra.mgf\n")
    assert "[default: 20]" in done.stdout
    assert done.stdout == attempt("print('never')", "-h").stdout


def test_version():
    assert attempt("pass", "--version").stdout == f"sb-try, version {__version__}\n"


def test_closing_line_is_the_last_of_stderr_and_can_be_left_out():
    body = "print('data'); closing_line('3 read', quiet=quiet)"
    assert (attempt(body).stdout, attempt(body).stderr) == ("data\n", "3 read\n")
    assert attempt(body, "--quiet").stderr == ""


def test_log_lines_name_the_command_and_debug_shows_more():
    body = "import logging; log = logging.getLogger('specbridge_tools.x'); log.info('one'); log.debug('two')"
    assert attempt(body).stderr == "sb-try: one\n"
    assert attempt(body, "--debug").stderr == "sb-try: one\nsb-try: two\n"


@pytest.mark.parametrize("writer", ["print(line)", "click.echo(line)"])
def test_reader_that_leaves_ends_it_quietly(writer):
    body = f"for line in range(200_000):\n    {writer}"
    with subprocess.Popen(script(body), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        assert process.wait(timeout=60) == 128 + signal.SIGPIPE
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    "body",
    [
        "with output_text('-') as stream:\n    stream.writelines('line\\n' for _ in range(300_000))",
        "with output_path('-') as path:\n    path.write_bytes(b'x' * 3_000_000)",
    ],
)
def test_reader_that_leaves_an_output_ends_it_quietly(body, tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        script(body), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, bufsize=0
    ) as process:
        process.stdout.read(1)
        process.stdout.close()
        assert process.wait(timeout=60) == 128 + signal.SIGPIPE
        assert process.stderr.read() == b""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize(
    "body",
    [
        "print('x')",
        "print('x' * 1_000_000)",
        "with output_text('-') as stream:\n    stream.write('x' * 100)",
        "with output_path('-') as path:\n    path.write_bytes(b'x' * 1_000_000)",
    ],
)
def test_full_disk_behind_stdout_is_one_line_and_status_75(body):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(script(body), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 75
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr


def test_stdout_that_the_shell_closed():
    body = "with output_text('-') as stream:\n    stream.write('x')"
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *script(body)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (1, "sb-try: error: <stdout>: is closed; open it, or name a file\n")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 138)])
def test_signal_leaves_nothing_half_written(tmp_path, number, status):
    out = tmp_path / "out.tsv"
    body = f"""
with output_text({str(out)!r}) as stream:
    stream.write("half")
    stream.flush()
    print("ready", flush=True)
    time.sleep(30)
"""
    with subprocess.Popen(script(body), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        assert [path.suffix for path in tmp_path.iterdir()] == [".tmp"]
        process.send_signal(number)
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == status
    assert list(tmp_path.iterdir()) == []
    assert b"Traceback" not in stderr


def test_no_memory_left():
    """On the GPU it may pass, on the machine a job is given its memory for good."""
    full = attempt("raise type('OutOfMemoryError', (RuntimeError,), {'__module__': 'torch'})()")
    assert (full.returncode, "no memory left on the GPU" in full.stderr) == (75, True)
    assert attempt("raise MemoryError").returncode == 1


def test_a_task_of_an_array_job_names_its_shard():
    body = "import sys; sys.argv += ['--shard=3/8']; raise DataError('bad')"
    assert attempt(body).stderr == "sb-try: shard 3/8: error: bad\n"


ODD = "a\x1b[31mb\rc\td\x9be\u202ef"
PLAIN = r"a\x1b[31mb\rc\td\x9be\u202ef"


@pytest.mark.parametrize(
    "body",
    [
        "raise DataError('bad', where={})",
        "raise OSError(errno.EMFILE, 'bad', {})",
        "raise click.UsageError({})",
        "import logging; logging.getLogger('specbridge_tools.x').warning('read %s', {})",
        "closing_line({})",
    ],
)
def test_names_cannot_change_the_terminal(body):
    done = attempt(body.format(repr(ODD)), env={**os.environ, "PYTHONUTF8": "1"})
    assert PLAIN in done.stderr
    assert all(line.isprintable() for line in done.stderr.splitlines())


def test_a_file_with_escape_sequences_in_its_name(call):
    done = call("sb-info", "red\x1b[31m\nfile.mgf", status=1)
    assert done.stderr.count(b"\n") == 1
    assert b"red\\x1b[31m file.mgf: cannot be read" in done.stderr


def test_line_breaks_become_spaces_except_in_tracebacks():
    assert attempt("raise DataError('one\\ntwo\\r\\nthree')").stderr == "sb-try: error: one two three\n"
    body = (
        "import logging\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    logging.getLogger('x').exception('one\\ntwo')"
    )
    lines = attempt(body).stderr.splitlines()
    assert lines[:2] == ["sb-try: one two", "Traceback (most recent call last):"]
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_warnings_of_libraries_are_for_debug_alone(tmp_path):
    code = """
import warnings
from specbridge_tools.cli.command import command
@command("sb-x", example="sb-x")
def main(quiet):
    warnings.warn("of a library", UserWarning)
main()
"""
    for arguments, shown in (([], False), (["--debug"], True)):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0
        assert ("of a library" in done.stderr) == shown
