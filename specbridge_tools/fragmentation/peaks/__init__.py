"""Peaks of a spectrum as ions: prepared, matched with fragments, explained by parts of a formula."""
