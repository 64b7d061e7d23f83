"""Collision energies as the field writes them."""


def collision_energy_ev(spectrum):
    """Laboratory-frame collision energy in eV from metadata `collision_energy`; None where it cannot be told."""
    raise NotImplementedError
