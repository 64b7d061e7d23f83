"""Names, ids and SMILES of any text leave every export in its form."""

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from specbridge_tools.export.export import FORMATS, export_hits
from specbridge_tools.records import Tally

COLUMNS = (
    "query_id", "score", "probability", "inchikey14", "smiles", "formula", "exact_mass", "adduct", "mass_error_ppm",
    "id", "name", "analog_id", "analog_score",
)  # fmt: skip
# what a table in UTF-8 can hold
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\0"), max_size=8)
TEXTS = st.fixed_dictionaries(
    {name: TEXT for name in ("smiles", "id", "name", "analog_id")} | {"query_id": TEXT.filter(lambda text: text != "")}
)
SPECTRUM = b"BEGIN IONS\nTITLE=q\nPEPMASS=152.0709\nCHARGE=1+\n50 1\nEND IONS\n"


def exported(output_format, texts, spectra=None):
    row = {"score": "1", "probability": "0.6", "inchikey14": "A" * 14, "formula": "C8H9NO2", "exact_mass": "151.063329",
           "adduct": "[M+H]+", "mass_error_ppm": "1", "analog_score": "0.5"} | texts  # fmt: skip
    file = io.StringIO(newline="")
    table = csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_ALL)
    table.writerows([COLUMNS, [row[name] for name in COLUMNS]])
    stream, tally = io.StringIO(), Tally(noun="queries")
    hits = io.BytesIO(file.getvalue().encode())
    source = None if spectra is None else io.BytesIO(spectra)
    export_hits(hits, stream, output_format=output_format, spectra=source, tally=tally)
    assert (tally.n_read, tally.n_written) == (1, 1)
    return stream.getvalue()


@pytest.mark.parametrize("output_format", ["sirius", "maf", "tsv-edges"])
@settings(max_examples=40)
@given(texts=TEXTS)
def test_tables(output_format, texts):
    text = exported(output_format, texts)
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
    assert {len(row) for row in rows} == {len(header)}
    # the candidate, and in the network its analog
    assert len(rows) == 1 + (output_format == "tsv-edges" and texts["analog_id"] not in ("", "NA"))
    assert len(text.splitlines()) == 1 + len(rows)


@settings(max_examples=40)
@given(texts=TEXTS)
def test_mztab(texts):
    rows = [line.split("\t") for line in exported("mztab-m", texts).splitlines()]
    lengths = {row[0]: len(row) for row in rows if row[0] in ("SMH", "SFH", "SEH")}
    for section, header in (("SML", "SMH"), ("SMF", "SFH"), ("SME", "SEH")):
        (row,) = [row for row in rows if row[0] == section]
        assert len(row) == lengths[header]
        assert all(value.strip() for value in row)


@settings(max_examples=40)
@given(texts=TEXTS)
@example(
    texts={"smiles": "\ufffe", "id": "]]>", "name": "\uffff<&\x0b", "analog_id": '"\x1b', "query_id": "\x85\u2028"}
)
def test_graphml(texts):
    root = etree.fromstring(exported("graphml", texts).encode())
    assert {etree.QName(element).localname for element in root.iter()} == {
        "graphml",
        "key",
        "graph",
        "node",
        "edge",
        "data",
    }


@settings(max_examples=40)
@given(texts=TEXTS)
def test_mgf(texts):
    text = exported("mgf", texts | {"query_id": "q"}, SPECTRUM)
    lines = text.split("\n")
    assert [line for line in lines if "IONS" in line and "=" not in line] == ["BEGIN IONS", "END IONS"]
    assert lines[lines.index("END IONS") - 1] == "50.0 1.0"


def test_every_format_is_tried():
    assert set(FORMATS) == {"sirius", "maf", "tsv-edges", "mztab-m", "graphml", "mgf"}
