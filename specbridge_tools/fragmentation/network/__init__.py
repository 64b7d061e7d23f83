"""How probable the fragments of a candidate make the peaks: the network, its file, its scores."""
