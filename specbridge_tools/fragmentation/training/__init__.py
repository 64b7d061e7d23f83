"""Training the network, fitting its fusion with the cosine, and simulating spectra by it."""
