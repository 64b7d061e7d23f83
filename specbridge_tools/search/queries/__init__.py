"""What is asked: spectra or their embeddings as queries, alone or in groups."""
