"""Libraries of spectra: MassBank records, SIRIUS, JSON."""

from fuzz.texts import spectra

MASSBANK = """ACCESSION: MSBNK-X-1
RECORD_TITLE: paracetamol
LICENSE: CC0
CH$NAME: paracetamol
CH$FORMULA: C8H9NO2
CH$SMILES: CC(=O)Nc1ccc(O)cc1
AC$MASS_SPECTROMETRY: MS_TYPE MS2
AC$MASS_SPECTROMETRY: ION_MODE POSITIVE
MS$FOCUSED_ION: PRECURSOR_M/Z 152.0706
MS$FOCUSED_ION: PRECURSOR_TYPE [M+H]+
PK$NUM_PEAK: 2
PK$PEAK: m/z int. rel.int.
  65.0386 10 99
  110.0600 100 999
//
"""
SIRIUS = """>compound a
>parentmass 152.0706
>ionization [M+H]+
>formula C8H9NO2

>collision 20
65.0386 10
110.0600 100

>ms1
152.0706 100
"""
JSON = """[{"id": "a", "compound": [{"names": [{"name": "p"}], "inchi": "",
"metaData": [{"name": "SMILES", "value": "CCO"}]}],
"metaData": [{"name": "precursor m/z", "value": 152.0706}, {"name": "precursor type", "value": "[M+H]+"},
{"name": "ms level", "value": "MS2"}], "spectrum": "65.0386:10 110.06:100"},
{"spectrum_id": "b", "precursor_mz": 152.0706, "adduct": "[M+H]+", "peaks_json": "[[65.0386, 10], [110.06, 100]]"}]
"""
FORMAT = spectra(
    start=rb"^(?:ACCESSION:|>compound )", holds_molecules=True, massbank=MASSBANK, sirius=SIRIUS, json=JSON
)
