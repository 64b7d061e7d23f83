"""The hits of queries: ranked candidates, their probabilities, and their table."""
