"""From vectors on disk to candidates: the index file, which of its molecules are compared, and with what."""
