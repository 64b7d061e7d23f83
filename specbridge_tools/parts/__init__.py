"""Files -> parts, and parts -> the whole."""
