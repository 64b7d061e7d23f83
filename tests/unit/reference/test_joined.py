import pytest

from specbridge_tools.reference.file import read_references
from specbridge_tools.reference.joined import joined
from specbridge_tools.reference.writer import write_reference
from specbridge_tools.shards import Shard


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["toy", "default"])
@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_shards_make_the_bytes_of_the_whole(build, tmp_path, n, encoder):
    whole = build(name="whole.h5", encoder=encoder)
    parts = [build(name=f"{i}.h5", encoder=encoder, record_range=Shard(i, n).record_range(5)) for i in range(1, n + 1)]
    write_reference(tmp_path / "merged.h5", *joined([read_references([part]) for part in parts]))
    assert (tmp_path / "merged.h5").read_bytes() == whole.read_bytes()


def test_what_several_have_counts_once_as_the_first_has_it(build, tmp_path):
    first, second = build("R1", "R3", name="a.h5"), build("R5", "R3", "R4", "R2", name="b.h5")
    write_reference(tmp_path / "merged.h5", *read_references([first, second]))
    expected = build("R1", "R3", "R5", "R4", "R2", name="c.h5")
    assert (tmp_path / "merged.h5").read_bytes() == expected.read_bytes()


def test_a_molecule_or_text_of_nothing_but_repeats_is_left_out(build, tmp_path):
    first = build("R1", name="a.h5")
    from records_of_reference import mgf

    second = build(text=mgf("R5", licence="other").replace("TITLE=R5", "TITLE=R1") + mgf("R3"), name="b.h5")
    spectra, texts, molecules, _ = read_references([first, second])
    assert list(texts.accession) == ["R1", "R3"]
    assert molecules.inchikey14 == ["CPJSUEIXXCENMM", "RZVAJINKPMORJF"]
    assert texts.lists["licence"] == ["CC0"]
    assert spectra.molecule.tolist() == [0, 1]
