"""Molecular graph -> fragments: the bonds that are cut, and what each cut costs."""
