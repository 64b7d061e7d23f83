"""Molecule -> fragments -> explained peaks -> re-ranked hits."""
