"""Published benchmarks, in the forms that they are published in -> files that the other commands read."""
