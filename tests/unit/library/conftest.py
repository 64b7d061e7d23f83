import pytest
from small_library import pack_small

from specbridge_tools import pretrained


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """The path of a library of a few molecules."""
    return pack_small(tmp_path_factory.mktemp("library"))


@pytest.fixture
def shipped(small, tmp_path, monkeypatch):
    """It stands in for the library that ships, in an empty store under tmp_path."""
    monkeypatch.setattr(pretrained, "LIBRARY", small)
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SPECBRIDGE_SHARED", raising=False)
    return small
