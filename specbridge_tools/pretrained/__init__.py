"""The weights that ship with the package, under their own licence (CC BY-SA 4.0), and their model card."""
