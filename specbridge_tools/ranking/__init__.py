"""All evidence of a candidate -> one score and one probability."""
