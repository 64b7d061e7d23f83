"""Which molecules are compared with a spectrum: by mass, by formula, from a list, or all."""
