"""The only part that is trained: carries a spectrum into the molecules' space."""
