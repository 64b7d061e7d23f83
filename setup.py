"""For tools that still ask for it; all metadata stand in pyproject.toml."""

from setuptools import setup

setup()
