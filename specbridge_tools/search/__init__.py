"""From vectors on disk to ranked candidates: the index file, the search, the hits table."""
