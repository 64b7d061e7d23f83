"""What a format brings to be fuzzed, and changes that any bytes can take."""

import dataclasses
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from fuzz.limits import Outcome

Mutator = Callable[[bytes, random.Random], bytes]
SECRET = b"root:x:0:0:a secret that is in another file"
"""What the file `secret` in the folder of seeds holds: never to be seen in any output."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One run: a command (its arguments; `{file}` is the changed file), the seed and the bytes made of it."""

    arguments: tuple[str, ...]
    seed: str
    content: bytes


@dataclasses.dataclass(frozen=True)
class Format:
    """A format of files and the commands that read it.

    Attributes:
        modules: that the commands need: loaded once, before the first fork.
        make_seeds: writes small valid files into an empty folder, in which `secret` lies, and gives for each its name
            and the commands that read it. Commands run in another folder; `{seeds}` in an argument is the one of seeds.
        mutators: each makes other bytes of those of a seed.
        lost: of a case that ended with status 0, what is lost and was not counted; '' for nothing.
    """

    modules: Sequence[str]
    make_seeds: Callable[[Path], dict[str, Sequence[tuple[str, ...]]]]
    mutators: Sequence[Mutator]
    lost: Callable[[Case, Outcome, Path], str] = lambda case, outcome, folder: ""


INTERESTING = (b"\0", b"\xff", b"\x7f", b"\x80", b"\n", b"\t", b'"', b"-", b"1e999", b"nan", b"\xff" * 8, b"\0" * 8)


def flip_bits(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 8, 64))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def replace_bytes(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(changed))
        insert = rng.choice((rng.randbytes(rng.choice((1, 2, 4, 8))), rng.choice(INTERESTING)))
        changed[at : at + len(insert)] = insert
    return bytes(changed)


def cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def insert_bytes(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + rng.choice((rng.randbytes(rng.randint(1, 64)), rng.choice(INTERESTING))) + content[at:]


def delete_bytes(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + content[at + rng.choice((1, 2, 4, 8, 100, 4096)) :]


def copy_bytes(content: bytes, rng: random.Random) -> bytes:
    """Bytes of one place at another one."""
    changed, length = bytearray(content), rng.choice((1, 4, 8, 16, 64, 512))
    source, target = rng.randrange(len(content)), rng.randrange(len(content))
    copied = content[source : source + length]
    changed[target : target + len(copied)] = copied
    return bytes(changed)


BYTES: tuple[Mutator, ...] = (flip_bits, replace_bytes, cut, insert_bytes, delete_bytes, copy_bytes)


def several(mutators: Sequence[Mutator], most: int = 3) -> Mutator:
    """A mutator that applies up to `most` others, one after the other."""

    def mutate(content: bytes, rng: random.Random) -> bytes:
        for _ in range(rng.randint(1, most)):
            content = rng.choice(mutators)(content, rng) or content
        return content

    return mutate
