from small_library import N_MOLECULES

from specbridge_tools.library import store
from specbridge_tools.library.build import Target
from specbridge_tools.library.listing import list_library


def test_before_the_first_use_the_index_is_absent(shipped, tmp_path):
    library, index = list_library()
    assert (library.what, library.status, library.molecules) == ("library", "present", N_MOLECULES)
    assert (library.licence, library.size, library.path) == ("CC0-1.0", shipped.stat().st_size, str(shipped))
    assert (index.what, index.status, index.molecules, index.size) == ("index", "absent", None, None)
    assert index.path.startswith(str(tmp_path / "home" / "library" / "library-"))


def test_what_was_built_is_listed_with_its_encoder(shipped, tmp_path, monkeypatch):
    path = store.library_index()
    facts = store.library_facts()
    (path.parent / "a.h5").write_bytes(path.read_bytes())
    (path.parent / "b.h5").write_bytes(b"")
    own, old, damaged = list_library()[1:]
    assert (own.status, own.path, own.molecules, own.size) == ("present", str(path), N_MOLECULES, path.stat().st_size)
    assert own.encoder.startswith("morgan:fitted [weights ")
    assert (old.status, damaged.status, damaged.molecules) == ("old", "damaged", None)
    other = Target("x", "toy:dimension=8", "0" * 64, "1" * 64)
    assert store.index_name(facts, other) != path.name
