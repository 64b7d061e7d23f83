"""Pack a table of known molecules into the library that ships: pack_library.py TABLE.tsv[.xz] LIBRARY.safetensors

The table has columns smiles, name, id (with its source, e.g. pubchem:2519) and sources (tags, `;` between them).
Structures are standardised and their fingerprints counted, by as many processes as the machine allows, which takes
minutes for 300,000. The licence is that of the table as a whole; where each source is named, and its own licence, is
`SOURCES.md`, which lies beside the library.
"""

import argparse
from pathlib import Path

from specbridge_tools.library.pack import pack_library
from specbridge_tools.progress import progress
from specbridge_tools.records import open_tally


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--licence", default="CC-BY-SA-4.0")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--rejects")
    parser.add_argument("--force", action="store_true")
    options = parser.parse_args()
    with open_tally("molecules", rejects=options.rejects, force=options.force) as tally, progress("packing") as display:
        pack_library(
            options.table,
            options.output,
            licence=options.licence,
            threads=options.threads,
            tally=tally,
            force=options.force,
            display=display,
        )
        print(tally.summary())


if __name__ == "__main__":
    main()
