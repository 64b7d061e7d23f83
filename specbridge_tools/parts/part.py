"""What a split made."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Part:
    """One part; molecules and groups are None where the split did not look at structures."""

    name: str
    path: str
    n_records: int
    n_molecules: int | None = None
    n_groups: int | None = None


def parts_table(parts):
    """The parts as lines of TSV, a header first; unknown counts are empty."""
    yield "part\tfile\trecords\tmolecules\tgroups"
    for part in parts:
        yield "\t".join("" if value is None else str(value) for value in dataclasses.astuple(part))
