"""Changes of text formats, and what the formats of spectra and of molecules have in common."""

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from fuzz import seeds
from fuzz.cases import BYTES, Case, Format, Mutator, several
from fuzz.limits import Outcome

JUNK = (
    b"",
    b"\n",
    b"\r",
    b"\t",
    b" ",
    b'"',
    b"'",
    b",",
    b";",
    b"|",
    b"=",
    b":",
    b"\0",
    b"\xff",
    b"\xc2\x85",
    b"\xef\xbb\xbf",
    b"nan",
    b"inf",
    b"-1",
    b"0",
    b"1e999",
    b"9" * 400,
    b"1_0",
    b"\x1b[31m",
    b"=cmd|x",
    b"<",
    b">",
    b"&",
    b"{",
    b"[" * 2000,
    b"BEGIN IONS",
    b"END IONS",
    b"Name: q",
    b"Num Peaks: 2",
    b"CHARGE=2-",
    b"ADDUCT=[M",
    b"M  END",
    b"$$$$",
    b"C" * 20_000,
    b"query_id",
    b"smiles",
    b"InChI=1S/",
    b"<!DOCTYPE a SYSTEM 'secret'>",
    b"&a;",
    b"1.5 " * 300,
    "\u202e\u00e9".encode(),
)


def change_line(content: bytes, rng: random.Random) -> bytes:
    """A line left out, doubled, moved, or another in its place."""
    lines = content.splitlines(keepends=True)
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines[at:at] = [lines[at]] * rng.choice((1, 3, 1000))
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = rng.choice(JUNK) + rng.choice((b"\n", b"\r\n", b"\r", b""))
        case 4:
            lines.insert(at, lines[other])
    return b"".join(lines)


def change_word(content: bytes, rng: random.Random) -> bytes:
    """Another word, value or number in the place of one."""
    words = list(re.finditer(rb"[^\s=:,<>\"']+", content))
    if not words:
        return content
    word = rng.choice(words)
    new = rng.choice((*JUNK, rng.choice(words)[0], word[0] * 2, word[0][::-1], word[0].swapcase()))
    return content[: word.start()] + new + content[word.end() :]


def insert_junk(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice(JUNK) + content[at:]


def change_line_ends(content: bytes, rng: random.Random) -> bytes:
    return content.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b" \n", b"")))


TEXT: tuple[Mutator, ...] = (
    change_line,
    change_word,
    change_word,
    insert_junk,
    several((change_line, change_word, insert_junk)),
    change_line_ends,
    several(BYTES),
)
# what commands load late, so that a fork need not
_LATE = (
    "describe",
    "identification.identify",
    "identification.default_model",
    "search.index.reader",
    "progress",
    "encoders.molecular.toy",
    "encoders.spectral.toy",
    "bridge.model",
    "embeddings.embed_spectra",
    "embeddings.embed_molecules",
    "parts.split",
    "parts.records",
    "parts.merge",
    "molecules.chemistry",
    "molecules.drawing",
    "evaluation.evaluate",
    "report.page",
    "report.table",
    "search.candidates.lists",
    "gzip_file",
)
_OUT = ("-o", "out", "--threads", "1")
_EMBED_MOLECULES = ("sb-embed-mols", "{file}", "--encoder", "toy:dimension=8", "--rejects", "rejects", *_OUT)


def modules_of(*commands: str) -> tuple[str, ...]:
    """The modules of commands, and those that they load late."""
    return (*(f"specbridge_tools.cli.{name}" for name in commands), *(f"specbridge_tools.{name}" for name in _LATE))


def n_counted(case: Case, outcome: Outcome) -> int | None:
    """How many records a command says that it has read or skipped.

    None where it does not say, or says that it took the file for one of molecules.
    """
    skipped = sum(map(int, re.findall(rb": (\d+) \w+ skipped \(", outcome.stderr)))
    if case.arguments[0] == "sb-info":
        is_spectra = b"\nkind\tspectra\n" in outcome.stdout
        read = re.findall(rb"^n(?:_rejected)?\t(\d+)$", outcome.stdout, re.M) if is_spectra else []
    else:
        noun = rb"molecules" if case.arguments[0] == "sb-embed-mols" else rb"spectra"
        read = re.findall(rb"^(\d+) %b read, " % noun, outcome.stderr, re.M)
    return skipped + sum(map(int, read)) if read else None


def lost_of(start: bytes) -> Callable[[Case, Outcome, Path], str]:
    """What `Format.lost` asks, where at least one record is to be counted for each line that matches `start`."""
    pattern = re.compile(start, re.M | re.I)

    def lost(case: Case, outcome: Outcome, folder: Path) -> str:
        n_records, n = len(pattern.findall(re.sub(rb"\r\n?", b"\n", case.content))), n_counted(case, outcome)
        if n is None:
            return ""
        return f"lost: {n_records} records, {n} counted" if n < n_records else ""

    return lost


def spectra(*, start: bytes = rb"(?!)", holds_molecules: bool = False, **contents: str) -> Format:
    """The format of small files of spectra: what reads them, with the index and the model of `fuzz.seeds`.

    Args:
        start: Pattern of the lines each of which begins a record at least; by default none does.
        holds_molecules: Whether the records name structures.
        contents: The files by name.
    """

    def make_seeds(folder: Path) -> dict[str, Sequence[tuple[str, ...]]]:
        seeds.make_library(folder)
        seeds.make_model(folder / "model.safetensors")
        query = (
            "sb-query", "{file}", "--index", "{seeds}/index.h5", "--model", "{seeds}/model.safetensors",
            "--rerank", "0", "--rejects", "rejects", *_OUT,
        )  # fmt: skip
        commands = (
            ("sb-info", "{file}"),
            ("sb-split", "{file}", "--parts", "1", "-o", "out"),
            ("sb-embed-spectra", "{file}", "--model", "{seeds}/model.safetensors", "--rejects", "rejects", *_OUT),
            query,
            (*query, "--repair", "--adducts", "[M+H]+,[M+Na]+", "--isotopes", "drop"),
        )
        for name, content in contents.items():
            (folder / name).write_text(content, encoding="utf-8")
        return dict.fromkeys(contents, (*commands, _EMBED_MOLECULES) if holds_molecules else commands)

    return Format(modules_of("info", "split", "embed_spectra", "embed_mols", "query"), make_seeds, TEXT, lost_of(start))


def molecules(*options: str, **contents: str) -> Format:
    """The format of small files of molecules, which are embedded with `options`, too."""

    def make_seeds(folder: Path) -> dict[str, Sequence[tuple[str, ...]]]:
        commands = (
            ("sb-info", "{file}"),
            ("sb-split", "{file}", "--parts", "1", "-o", "out"),
            _EMBED_MOLECULES,
            *([(*_EMBED_MOLECULES, *options)] if options else []),
        )
        for name, content in contents.items():
            (folder / name).write_text(content, encoding="utf-8")
        return dict.fromkeys(contents, commands)

    return Format(modules_of("info", "split", "embed_mols"), make_seeds, TEXT)
