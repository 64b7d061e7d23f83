import io
import types

import numpy as np
import pytest

from specbridge_tools.embeddings.spectra import LAYOUT, create_spectrum_embeddings
from specbridge_tools.errors import DataError, MismatchError, UsageError
from specbridge_tools.hits.probability import candidate_probabilities
from specbridge_tools.hits.table import HitWriter, write_hits
from specbridge_tools.records import Tally
from specbridge_tools.search.candidates.tolerance import Tolerance
from specbridge_tools.search.queries.source import open_query_source
from specbridge_tools.search.search import DEFAULT_OPTIONS, SearchOptions, search_queries
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.spectrum import Spectrum

PROTON = 1.007276466


def query(spectra, *, options=DEFAULT_OPTIONS, **settings):
    """The hits of each record of a file."""
    with open_query_source(spectra, reread=options.group_by is not None) as source:
        yield from search_queries(source, options=options, **settings)


class Model:
    """A stand-in whose vectors depend on the first peak alone."""

    name = "stand-in"
    dimension = 8
    weights_sha256 = "c3" * 32
    molecule_encoder = "toy:dimension=8"
    molecule_encoder_sha256 = "a1" * 32
    molecule_head_sha256 = ""
    calibration = None

    def __init__(self, **changes):
        self.batches = []
        for name, value in changes.items():
            setattr(self, name, value)

    def encode(self, spectra, *, batch_size=64):
        self.batches.append(len(spectra))
        vectors = np.stack([np.random.default_rng(int(s.mz[0])).normal(size=8) for s in spectra])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("f4")


def mgf(*records):
    text = ""
    for fields in records:
        peaks = fields.pop("peaks", "50.5 1\n70.5 2")
        text += "BEGIN IONS\n" + "".join(f"{k}={v}\n" for k, v in fields.items()) + peaks + "\nEND IONS\n\n"
    return io.BytesIO(text.encode())


def spectrum(title, mass, **more):
    return {"TITLE": title, "PEPMASS": mass + PROTON, "CHARGE": "1+", "ADDUCT": "[M+H]+"} | more


@pytest.fixture(scope="module")
def index(opened, make_rows):
    masses = [200.0, 200.0005, 200.001, 300.0, 300.0, 300.0, 300.0]
    keys = [letter * 14 for letter in "ABCDEFG"]
    formulas = ["C2", "C2", "C3", "C4H9NO2", "C4H9NO2", "X", "X"]
    with opened(make_rows(masses, keys=keys, formulas=formulas)) as opened_index:
        yield opened_index


def test_every_record_is_answered_in_order(index):
    source = mgf(
        spectrum("second", 300.0),
        {"TITLE": "no precursor"},
        spectrum("nothing", 250.0),
        spectrum("first", 200.0),
        spectrum("strange", 200.0, ADDUCT="[M+Foo]+"),
        spectrum("empty", 200.0, peaks=""),
    )
    tally = Tally(noun="spectra")
    answers = list(query(source, index=index, model=Model(), tally=tally))
    assert [hits.query_id for hits in answers] == ["second", "no precursor", "nothing", "first", "strange", "empty"]
    assert [hits.record for hits in answers] == [1, 2, 3, 4, 5, 6]
    assert [len(hits) for hits in answers] == [4, 0, 0, 3, 0, 0]
    assert answers[2].reason == "no candidate within 10 ppm"
    assert all(answers[i].reason for i in (1, 4, 5))
    assert not answers[0].reason
    assert (tally.n_read, tally.n_rejected) == (6, 3)
    best = answers[3]
    assert best.column("n_candidates") == ["3"] * 3
    assert best.column("rank") == ["1", "2", "3"]
    assert sorted(best.column("inchikey14")) == ["A" * 14, "B" * 14, "C" * 14]
    assert set(best.column("adduct")) == {"[M+H]+"}
    row = best.printed(best.column("inchikey14").index("C" * 14))
    assert (row["smiles"], row["exact_mass"], row["mass_error_ppm"]) == ("smiles2", "200.001000", "-5.000")
    assert (row["id"], row["all_ids"], row["name"], row["formula"]) == ("id2", "id2", "Näme → 2", "C3")


def test_batches_do_not_change_the_answers(index):
    def records():
        return mgf(*(spectrum(f"s{i}", 200.0 + 100 * (i % 2), peaks=f"{50 + i} 1") for i in range(25)))

    large, small = Model(), Model()
    expected = [hits.rows() for hits in query(records(), index=index, model=large)]
    assert [hits.rows() for hits in query(records(), index=index, model=small, batch_size=1)] == expected
    assert large.batches == [25]
    assert small.batches == [8, 8, 8, 1]


def test_top_cuts_the_rows_and_not_the_count(index):
    (hits,) = query(mgf(spectrum("s", 300.0)), index=index, model=Model(), options=SearchOptions(top=2))
    (every,) = query(mgf(spectrum("s", 300.0)), index=index, model=Model(), options=SearchOptions(top=0))
    assert hits.rows() == every.rows()[:2]
    assert every.column("n_candidates") == ["4"] * 4


def test_ties_stand_in_the_order_of_their_keys_and_share_a_rank(opened, make_rows):
    same = np.random.default_rng(50).normal(size=8)
    vectors = np.stack([same, -same, same, same])
    with opened(make_rows([300.0] * 4, vectors=vectors, keys=["D" * 14, "A" * 14, "C" * 14, "B" * 14])) as tied:
        (hits,) = query(mgf(spectrum("s", 300.0)), index=tied, model=Model())
    assert [key[0] for key in hits.column("inchikey14")] == ["B", "C", "D", "A"]
    assert hits.column("rank") == ["1", "1", "1", "4"]
    assert len(set(hits.column("score")[:3])) == 1


def test_one_molecule_is_one_candidate(opened, make_rows):
    same = np.random.default_rng(50).normal(size=8)
    vectors = np.stack([-same, same, same])
    with opened(make_rows([300.0, 300.0005, 300.001], vectors=vectors, keys=["K" * 14] * 3)) as repeated:
        (hits,) = query(mgf(spectrum("s", 300.0)), index=repeated, model=Model())
    assert hits.column("exact_mass") == ["300.000500"]
    assert hits.column("n_candidates") == ["1"]


def test_without_an_adduct_the_hypotheses_are_searched(opened, make_rows):
    sodium = 300.0 + PROTON - 22.989218
    with opened(make_rows([300.0, sodium], keys=["H" * 14, "N" * 14])) as both:
        (hits,) = query(mgf({"TITLE": "s", "PEPMASS": 300.0 + PROTON, "CHARGE": "1+"}), index=both, model=Model())
    assert dict(zip(hits.column("inchikey14"), hits.column("adduct"), strict=True)) == {
        "H" * 14: "[M+H]+",
        "N" * 14: "[M+Na]+",
    }


def test_formula_mode(index):
    source = mgf(
        spectrum("right", 77.0, FORMULA="H9C4O2N"),
        spectrum("missing", 77.0),
        spectrum("unreadable", 77.0, FORMULA="water"),
        spectrum("other", 77.0, FORMULA="CH4", GUESS="C4H9NO2"),
    )
    tally = Tally()
    answers = list(query(source, index=index, model=Model(), options=SearchOptions("formula"), tally=tally))
    assert [hits.reason for hits in answers] == [
        "no candidate of the formula",
        "no formula",
        "unreadable formula",
        "no candidate of the formula",
    ]
    assert dict(tally.reasons) == {"no formula": 1, "unreadable formula": 1}


def test_formula_mode_finds_by_the_named_field(opened, make_rows):
    rows = make_rows([103.06332853, 103.06332853], formulas=["C4H9NO2", "C3"], keys=["A" * 14, "B" * 14])
    source = mgf(spectrum("s", 103.06332853, GUESS="C4H9NO2", FORMULA="CH4"))
    with opened(rows) as two:
        options = SearchOptions("formula", formula_field="Guess")
        (hits,) = query(source, index=two, model=Model(), options=options)
    assert hits.column("inchikey14") == ["A" * 14]
    assert abs(float(hits.value("mass_error_ppm"))) < 0.01


def test_open_mode_compares_with_all(index):
    options = SearchOptions("open", exact=True, top=0)
    named, unnamed = query(
        mgf(spectrum("s", 50.0), {"TITLE": "t", "PEPMASS": 51.0, "CHARGE": "1+"}),
        index=index,
        model=Model(),
        options=options,
    )
    assert len(named) == 7
    assert named.column("n_candidates") == ["7"] * 7
    scores = named.numbers("score")
    assert (np.diff(scores) < 0).all()
    assert set(named.column("adduct")) == {"[M+H]+"}
    assert set(unnamed.column("adduct")) == {""}
    assert np.isnan(unnamed.numbers("mass_error_ppm")).all()


def test_open_mode_needs_a_graph_or_exact(index):
    with pytest.raises(UsageError, match="--exact"):
        list(query(mgf(spectrum("s", 50.0)), index=index, model=Model(), options=SearchOptions("open")))
    with pytest.raises(UsageError, match="--exact"):
        SearchOptions("open", top=0)
    with pytest.raises(UsageError, match="mass, formula, open"):
        SearchOptions("nearest")


def test_probabilities_come_from_the_whole_list(index):
    values = {"scale": 3.0, "none": -1.0, "none_log_candidates": 0.5, "none_log_top": 0.0}
    model = Model(calibration=values)
    (every,) = query(mgf(spectrum("s", 300.0)), index=index, model=model, options=SearchOptions(top=0))
    (first,) = query(mgf(spectrum("s", 300.0)), index=index, model=model, options=SearchOptions(top=1))
    expected = candidate_probabilities(every.numbers("score"), values, n_candidates=len(every))
    assert every.numbers("probability") == pytest.approx(expected, rel=1e-5)
    assert first.rows()[0] == every.rows()[0]
    (opened_wide,) = query(
        mgf(spectrum("s", 300.0)), index=index, model=model, options=SearchOptions("open", exact=True)
    )
    assert np.isnan(opened_wide.numbers("probability")).all()


@pytest.mark.parametrize(
    "change",
    [
        {"molecule_encoder": "morgan"},
        {"molecule_encoder_sha256": "ff"},
        {"molecule_head_sha256": "ee"},
        {"dimension": 9},
    ],
)
def test_a_foreign_model_is_refused_with_both_names(index, change):
    with pytest.raises(MismatchError) as caught:
        list(query(mgf(spectrum("s", 300.0)), index=index, model=Model(**change)))
    assert index.name in str(caught.value)
    assert "model stand-in" in str(caught.value)


def test_spectra_need_a_model(index):
    with pytest.raises(UsageError, match="--model"):
        list(query(mgf(spectrum("s", 300.0)), index=index))


def test_strict_stops_at_the_first_record_that_cannot_be_used(index):
    source = mgf(spectrum("s", 300.0), {"TITLE": "t"})
    with pytest.raises(DataError, match="line 10: no precursor"):
        list(query(source, index=index, model=Model(), tally=Tally(strict=True)))


def test_answers_are_written_and_counted(index):
    stream, tally = io.StringIO(), Tally()
    shown = types.SimpleNamespace(advance=lambda: None)
    answers = query(mgf(spectrum("s", 300.0), spectrum("t", 250.0)), index=index, model=Model(), tally=tally)
    assert write_hits(answers, HitWriter(stream), tally=tally, display=shown) == 1
    assert (tally.n_read, tally.n_written) == (2, 2)
    assert len(stream.getvalue().splitlines()) == 1 + 4 + 1


def test_the_tolerance_is_of_the_neutral_mass(opened, make_rows):
    with opened(make_rows([1000.0, 1000.0099, 1000.0101])) as three:
        (hits,) = query(mgf(spectrum("s", 1000.0)), index=three, model=Model(), options=SearchOptions(top=0))
        (narrow,) = query(
            mgf(spectrum("s", 1000.0)),
            index=three,
            model=Model(),
            options=SearchOptions(tolerance=Tolerance(0.001, "Da")),
        )
    assert sorted(hits.column("exact_mass")) == ["1000.000000", "1000.009900"]
    assert narrow.column("exact_mass") == ["1000.000000"]


def embedded(path, records, dtype="f4", **changes):
    """Records of the reader -> embeddings file, as `sb-embed-spectra` writes it."""
    model = Model(**changes)
    rows = {name: [] for name in LAYOUT.columns}
    for record in records:
        usable = isinstance(record, Spectrum)
        values = {"id": record.id, "record": record.record, "line": record.line}
        values["reason"] = "" if usable else record.reason
        values["embedding"] = model.encode([record])[0] if usable else np.zeros(8, "f4")
        for name, absent in [("precursor_mz", 0.0), ("charge", 0), ("polarity", 0), ("adduct", None)]:
            values[name] = getattr(record, name) if usable else absent
        values["adduct"] = values["adduct"] or ""
        values["formula"] = record.metadata.get("formula", "") if usable else ""
        for name, value in values.items():
            rows[name].append(value)
    rows["embedding"] = np.array(rows["embedding"])
    with create_spectrum_embeddings(path, model=model, dtype=np.dtype(dtype)) as file:
        file.append(rows)
    return path


RECORDS = [
    spectrum("second", 300.0, FORMULA="CH4"),
    {"TITLE": "no precursor"},
    spectrum("nothing", 250.0),
    {"TITLE": "unnamed", "PEPMASS": 200.0 + PROTON, "CHARGE": "1+", "peaks": "77.7 1"},
]


@pytest.mark.parametrize("options", [SearchOptions(), SearchOptions("formula"), SearchOptions("open", exact=True)])
@pytest.mark.parametrize("dtype", ["f2", "f4"])
def test_embeddings_are_answered_like_their_spectra(index, tmp_path, options, dtype):
    path = embedded(tmp_path / "s.h5", read_spectra(mgf(*map(dict, RECORDS))), dtype=dtype)
    tallies = [Tally(), Tally()]
    direct = query(mgf(*map(dict, RECORDS)), index=index, model=Model(), options=options, tally=tallies[0])
    expected = [hits.rows() for hits in direct]
    for source in (path, io.BytesIO(path.read_bytes())):
        answers = list(query(source, index=index, options=options, tally=tallies[1]))
        assert [hits.rows() for hits in answers] == expected
    assert (2 * tallies[0].n_read, 2 * tallies[0].n_rejected) == (tallies[1].n_read, tallies[1].n_rejected)


def test_embeddings_of_another_model_are_refused_with_both_names(index, tmp_path):
    path = embedded(tmp_path / "s.h5", read_spectra(mgf(spectrum("s", 300.0))), molecule_encoder="morgan")
    with pytest.raises(MismatchError) as caught:
        list(query(path, index=index))
    assert str(path) in str(caught.value)
    assert index.name in str(caught.value)
    path = embedded(tmp_path / "t.h5", read_spectra(mgf(spectrum("s", 300.0))))
    with pytest.raises(MismatchError, match="made with model stand-in, not with other"):
        list(query(path, index=index, model=Model(name="other", weights_sha256="ee" * 32)))


def test_only_the_formula_column_of_embeddings_is_known(index, tmp_path):
    path = embedded(tmp_path / "s.h5", read_spectra(mgf(spectrum("s", 300.0))))
    with pytest.raises(UsageError, match="formula"):
        list(query(path, index=index, options=SearchOptions("formula", formula_field="guess")))


def test_a_vector_without_unit_norm_is_an_error(index):
    class Broken(Model):
        def encode(self, spectra, *, batch_size=64):
            return np.full((len(spectra), 8), np.nan, "f4")

    with pytest.raises(DataError, match="the vector of s7 has no unit norm"):
        list(query(mgf(spectrum("s7", 300.0)), index=index, model=Broken()))
