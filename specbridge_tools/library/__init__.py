"""The library of known molecules that ships: packing and reading it, and its index, which the first use builds."""
