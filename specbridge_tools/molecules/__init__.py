"""Files of molecules -> `Molecule`. Only `chemistry` imports rdkit."""
