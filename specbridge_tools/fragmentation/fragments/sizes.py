"""What fragmenter and network agree on: elements, and how many columns and pieces there are."""

from __future__ import annotations

ELEMENTS = ("C", "N", "O", "S", "P", "F", "Cl", "Br", "I")
N_ELEMENTS = len(ELEMENTS) + 1  # the last column is any other element
N_ATOM_FEATURES = N_ELEMENTS + 18
N_BOND_KINDS = 8
MAX_PIECES = 4  # that a fragment lacks
