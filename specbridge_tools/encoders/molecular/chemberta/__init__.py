"""SMILES language models of the RoBERTa kind, from a folder in Hugging Face layout."""
