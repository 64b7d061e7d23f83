"""The one call, on the examples: from a path, a stream and from memory, as the commands have it."""

import io
from pathlib import Path

import numpy as np
import pytest
from builders import first_examples, spectrum
from small_library import pack_small

import specbridge_tools as sb
from specbridge_tools import pretrained
from specbridge_tools.hits.hits import COLUMNS, ranked_columns, reranked_columns
from specbridge_tools.identification.references import NO_REFERENCE

EXAMPLES = Path(__file__).parents[3] / "examples"
N_SPECTRA = 6


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("identify")
    header, *rows = (EXAMPLES / "molecules.tsv").read_text().splitlines()
    (folder / "molecules.tsv").write_text("\n".join([header, *rows[::40]]) + "\n")
    sb.embed_molecules(folder / "molecules.tsv", folder / "molecules.h5")
    sb.build_index([folder / "molecules.h5"], folder / "index.h5")
    return folder / "index.h5"


@pytest.fixture(scope="module")
def mgf():
    return first_examples(N_SPECTRA)


@pytest.fixture(scope="module")
def spectra(mgf):
    return list(sb.read_spectra(io.BytesIO(mgf.encode())))


OPTIONS = sb.SearchOptions(tolerance=sb.Tolerance.parse("0.1Da"), top=3)


@pytest.mark.slow
def test_a_path_a_stream_and_spectra_in_memory_give_the_same(index, mgf, spectra, tmp_path):
    (tmp_path / "s.mgf").write_text(mgf)
    sources = [tmp_path / "s.mgf", io.BytesIO(mgf.encode()), spectra, iter(spectra)]
    found = [[hits.rows() for hits in sb.identify(source, index=index, options=OPTIONS)] for source in sources]
    assert len(found[0]) == N_SPECTRA
    assert found[0] == found[1] == found[2] == found[3]


@pytest.mark.slow
def test_an_open_index_and_a_loaded_model_serve_again(index, spectra):
    model = sb.load_model()
    with sb.open_index(index) as opened:
        first, second = (
            [hits.rows() for hits in sb.identify(spectra, index=opened, model=model, options=OPTIONS)] for _ in range(2)
        )
    assert first == second == [hits.rows() for hits in sb.identify(spectra, index=index, options=OPTIONS)]


@pytest.mark.slow
def test_numbers_stay_numbers(index, spectra):
    hits = next(hits for hits in sb.identify(spectra, index=index, options=OPTIONS) if len(hits))
    (row, *_) = hits
    assert hits.columns == ranked_columns(reranked_columns(COLUMNS, with_reference=True))
    assert isinstance(row["score"], float)
    assert isinstance(row["exact_mass"], float)
    assert row["rank"] == 1
    assert hits.spectra == (spectra[hits.record - 1],)


@pytest.mark.slow
def test_a_data_frame_has_a_row_a_candidate(index, spectra):
    identification = sb.identify(spectra, index=index, options=OPTIONS)
    frame = identification.to_pandas()
    assert tuple(frame.columns) == identification.columns
    assert frame.groupby("query_id").size().max() <= 3
    assert frame["score"].dtype == float
    assert identification.tally.n_read == N_SPECTRA


@pytest.mark.slow
def test_without_re_ranking_the_score_is_the_cosine(index, spectra):
    options = sb.SearchOptions(tolerance=sb.Tolerance.parse("0.1Da"), top=0)
    cosine = next(sb.identify(spectra, index=index, options=options, rerank_first=0))
    both = next(sb.identify(spectra, index=index, options=options))
    assert not cosine.is_reranked
    assert sorted(cosine.column("score")) == sorted(both.column("cosine"))


@pytest.mark.slow
def test_all_candidates_are_re_ranked_but_in_an_open_search(index, spectra, monkeypatch):
    from specbridge_tools.identification import reranked

    def scored(mode, first=None):
        options = sb.SearchOptions(mode=mode, tolerance=sb.Tolerance.parse("5Da"), top=0, exact=True)
        with sb.identify(spectra[:1], index=index, options=options, rerank_first=first, threads=1) as found:
            hits = next(found)
        return np.isfinite(hits.numbers("fragment_score")).sum(), len(hits)

    n_scored, n = scored("mass")
    assert n_scored == n > 3
    assert scored("mass", "all") == (n, n)
    assert scored("mass", 2) == (2, n)
    monkeypatch.setattr(reranked, "OPEN_RERANK", 4)
    assert scored("open")[0] == scored("open", "all")[0] == 4
    assert scored("open", 5)[0] == 5


@pytest.mark.slow
def test_re_ranking_a_table_gives_what_one_call_gives(index, spectra, tmp_path):
    from specbridge_tools.hits.table import HitWriter

    options = sb.SearchOptions(tolerance=sb.Tolerance.parse("0.1Da"), top=0)
    with open(tmp_path / "hits.tsv", "w") as stream:
        writer = HitWriter(stream)
        for hits in sb.identify(spectra, index=index, options=options, rerank_first=0):
            writer.write(hits)
    again = sb.rerank_hits(tmp_path / "hits.tsv", spectra, ranker=sb.load_ranker())
    without = sb.References((NO_REFERENCE,))
    expected = [hits.rows() for hits in sb.identify(spectra, index=index, options=options, references=without)]
    assert [hits.rows() for hits in again] == expected


@pytest.mark.slow
def test_explained_peaks_are_those_of_the_spectrum(index, spectra):
    hits = next(hits for hits in sb.identify(spectra, index=index, options=OPTIONS) if len(hits))
    explained = list(sb.explained_peaks(hits, sb.load_ranker()))
    spectrum = hits.spectra[0]
    assert explained
    assert {name for name, _ in explained} == {spectrum.id}
    assert all(abs(spectrum.mz - peak.mz).min() < 1e-6 for _, peak in explained)


@pytest.mark.slow
def test_without_anything_else_the_library_that_ships_is_searched(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "LIBRARY", pack_small(tmp_path))
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SPECBRIDGE_SHARED", raising=False)
    ibuprofen = spectrum([(161.1325, 1.0), (119.0855, 0.5)], precursor_mz=207.1380, adduct="[M+H]+")
    for _ in range(2):  # built, and opened
        (hits,) = sb.identify([ibuprofen], rerank_first=0)
        assert (hits.column("id"), hits.column("name")) == (["pubchem:3672"], ["ibuprofen"])


def test_public_names_are_there():
    for name in sb.__all__:
        assert getattr(sb, name) is getattr(sb, name)
        assert name in dir(sb)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sb.nothing  # noqa: B018
