"""The index file: its bytes, building and merging it, reading slices of it, searching it without a mass."""
