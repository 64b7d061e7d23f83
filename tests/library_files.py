"""Small files of spectra as their publishers write them, with a few peaks each."""

import io

import h5py
import numpy as np

# Facts of MassBank record AU100601, CC BY, Department of Chemistry, University of Athens.
MASSBANK = """\
ACCESSION: MSBNK-Athens_Univ-AU100601
RECORD_TITLE: Sulfaclozine; LC-ESI-QTOF; MS2; CE: Ramp 21.1-31.6 eV; R=35000; [M+H]+
DATE: 2015.07.05
AUTHORS: Nikiforos Alygizakis, Anna Bletsou, Nikolaos Thomaidis, University of Athens
LICENSE: CC BY
COPYRIGHT: Copyright (C) 2015 Department of Chemistry, University of Athens
COMMENT: CONFIDENCE standard compound
COMMENT: INTERNAL_ID 1006
CH$NAME: Sulfaclozine
CH$NAME: 4-amino-N-(6-chloropyrazin-2-yl)benzenesulfonamide
CH$COMPOUND_CLASS: N/A; Environmental Standard
CH$FORMULA: C10H9ClN4O2S
CH$EXACT_MASS: 284.0135
CH$SMILES: c1cc(ccc1N)S(=O)(=O)Nc2cncc(n2)Cl
CH$IUPAC: InChI=1S/C10H9ClN4O2S/c11-9-5-13-6-10(14-9)15-18(16,17)8-3-1-7(12)2-4-8/h1-6H,12H2,(H,14,15)
CH$LINK: CAS 102-65-8
CH$LINK: INCHIKEY QKLPUVXBJHRFQZ-UHFFFAOYSA-N
CH$LINK: PUBCHEM CID:66890
AC$INSTRUMENT: Bruker maXis Impact
AC$INSTRUMENT_TYPE: LC-ESI-QTOF
AC$MASS_SPECTROMETRY: MS_TYPE MS2
AC$MASS_SPECTROMETRY: ION_MODE POSITIVE
AC$MASS_SPECTROMETRY: IONIZATION ESI
AC$MASS_SPECTROMETRY: COLLISION_ENERGY Ramp 21.1-31.6 eV
AC$MASS_SPECTROMETRY: FRAGMENTATION_MODE CID
AC$CHROMATOGRAPHY: RETENTION_TIME 4.6 min
AC$CHROMATOGRAPHY: SOLVENT A water with 0.01% formic acid
AC$CHROMATOGRAPHY: SOLVENT B 90:10 methanol:water
MS$FOCUSED_ION: BASE_PEAK 285.0199
MS$FOCUSED_ION: PRECURSOR_M/Z 285.0208
MS$FOCUSED_ION: PRECURSOR_TYPE [M+H]+
MS$DATA_PROCESSING: WHOLE RMassBank 1.8.1
PK$SPLASH: splash10-0a4i-1900000000-d2bc1c887f6f99ed0f74
PK$ANNOTATION: m/z tentative_formula formula_count mass error(ppm)
  65.0382 C5H5+ 1 65.0386 -5.58
  156.0118 C6H6NO2S+ 1 156.0114 2.72
PK$NUM_PEAK: 4
PK$PEAK: m/z int. rel.int.
  65.0382 3804 38
  92.0498 7664 76
  108.0457 12112 121
  156.0118 99504 999
//
"""

# As demonstrated in the manual of SIRIUS; facts of bicuculline.
SIRIUS = """\
# two compounds
>compound Bicuculline
>formula C20H17NO6
>parentmass 368.113616943359
>ionization [M+H]+
>instrumentation Unknown (LCMS)
>inchi InChI=1S/C20H17NO6/c1-21-5-4-10-6-14-15(25-8-24-14)7-12(10)17(21)18-11-2-3-13-19(26-9-23-13)16(11)20(22)27-18/h2-3,6-7,17-18H,4-5,8-9H2,1H3
>smiles CN1CCC2=CC3=C(C=C2C1C4C5=C(C6=C(C=C5)OCO6)C(=O)O4)OCO3
>rt 83.4s

>ms1
368.1136 100.0
369.1169 21.6

>collision 35
190.0863 35.2
307.0601 100 #C18H11O5
325.0707 12.5

>ms2
##scan 17
190.0864 100

>compound feature 2
>parentmass 301,0718 Da
>charge -1
>ms2peaks

151.0037 10
"""  # noqa: E501

# Facts of CCMSLIB00000579358, CC0: https://external.gnps2.org
GNPS = r"""[
  {
    "spectrum_id": "CCMSLIB00000579358",
    "source_file": "Training_001.mgf",
    "scan": "1",
    "ms_level": "2",
    "library_membership": "CASMI",
    "spectrum_status": "1",
    "peaks_json": "[[164.033997,32294.500000],[179.057495,129907.101562]]",
    "splash": "null-null-null-null",
    "Compound_Name": "Theophyllin",
    "Ion_Source": "LC-ESI",
    "Instrument": "Orbitrap",
    "Adduct": "M-H",
    "Scan": "-1",
    "Precursor_MZ": "179.057",
    "ExactMass": "0.0",
    "Charge": "1",
    "CAS_Number": "N/A",
    "Smiles": "CN1C2=C(NC=N2)C(=O)N(C)C1=O",
    "INCHI": "\"InChI=1S/C7H8N4O2/c1-10-5-4(8-3-9-5)6(12)11(2)7(10)13/h3H,1-2H3,(H,8,9)\"",
    "INCHI_AUX": "N/A",
    "Library_Class": "1",
    "SpectrumID": "CCMSLIB00000579358",
    "Ion_Mode": " Negative",
    "InChIKey_smiles": "ZFXYFBGIUFBOJW-UHFFFAOYSA-N",
    "InChIKey_inchi": "None",
    "Formula_smiles": "C7H8N4O2",
    "Formula_inchi": "",
    "annotation_history": [{"Compound_Name": "another", "Precursor_MZ": "5"}]
  }
]
"""

# Facts of AU100601 as MoNA exports them, CC BY.
MONA = r"""[
  {
    "compound": [
      {
        "inchi": "InChI=1S/C10H9ClN4O2S/c11-9-5-13-6-10(14-9)15-18(16,17)8-3-1-7(12)2-4-8/h1-6H,12H2,(H,14,15)",
        "inchiKey": "QKLPUVXBJHRFQZ-UHFFFAOYSA-N",
        "metaData": [
          {"category": "computed", "computed": true, "name": "SMILES",
           "value": "O=S(=O)(N=C1C=NC=C(Cl)N1)C2=CC=C(N)C=C2"},
          {"category": "none", "computed": false, "name": "molecular formula", "value": "C10H9ClN4O2S"},
          {"category": "none", "computed": false, "name": "SMILES", "value": "c1cc(ccc1N)S(=O)(=O)Nc2cncc(n2)Cl"},
          {"category": "external id", "computed": false, "name": "pubchem cid", "value": 66890}
        ],
        "molFile": "\n  CDK     02062201032D\n\nM  END\n",
        "names": [{"computed": false, "name": "Sulfaclozine", "score": 0.0}, {"name": "second"}],
        "kind": "biological"
      }
    ],
    "id": "AU100601",
    "dateCreated": 1487110669411,
    "metaData": [
      {"category": "none", "computed": false, "name": "accession", "value": "AU100601"},
      {"category": "none", "computed": false, "name": "license", "value": "CC BY"},
      {"category": "none", "computed": false, "name": "instrument type", "value": "LC-ESI-QTOF"},
      {"category": "mass spectrometry", "computed": false, "name": "ms level", "value": "MS2"},
      {"category": "mass spectrometry", "computed": false, "name": "ionization", "value": "ESI"},
      {"category": "mass spectrometry", "computed": false, "name": "collision energy", "value": 30, "unit": "eV"},
      {"category": "mass spectrometry", "computed": false, "name": "ionization mode", "value": "positive"},
      {"category": "computed", "computed": true, "name": "spectral entropy", "value": 1.8445828247531482},
      {"category": "focused ion", "computed": false, "name": "precursor m/z", "value": 285.0208},
      {"category": "focused ion", "computed": false, "name": "precursor type", "value": "[M+H]+"},
      {"category": "focused ion", "computed": true, "name": "precursor m/z", "value": 285.02}
    ],
    "annotations": [{"name": "C4H5+", "value": 53.0389}],
    "score": {"impacts": [{"value": 2.0, "reason": "LC-MS"}], "score": 5.0},
    "spectrum": "65.0382:3.822962 92.0498:7.702203 108.0457:12.172375 156.0118:100.000000",
    "splash": {"splash": "splash10-0a4i-1900000000-d2bc1c887f6f99ed0f74"},
    "tags": [{"ruleBased": false, "text": "MassBank"}]
  }
]
"""

# As the specification and matchms lay it out; facts of AU100601, CC BY.
MZSPECLIB = """\
<mzSpecLib>
MS:1003186|library format version=1.0
MS:1003188|library name=small molecules
<AttributeSet Spectrum=all>
MS:1000511|ms level=2
MS:1000465|scan polarity=MS:1000130|positive scan
MS:1000031|instrument model=MS:1001742|LTQ Orbitrap Velos
[1]MS:1000045|collision energy=30
[1]UO:0000000|unit=UO:0000266|electronvolt
<AttributeSet Analyte=PROTONATED>
MS:1002813|adduct ion formula=[M+H]+
MS:1000041|charge state=1
<Spectrum=7>
MS:1003061|library spectrum name=Sulfaclozine
[1]MS:1000894|retention time=4.6
[1]UO:0000000|unit=UO:0000031|minute
[2]MS:1003275|other attribute name=CAS
[2]MS:1003276|other attribute value=102-65-8
MS:1003208|experimental precursor monoisotopic m/z=285.0208
MS:1003059|number of peaks=3
<Analyte=1>
[1]MS:1003212|library attribute set name=PROTONATED
MS:1000866|molecular formula=C10H9ClN4O2S
MS:1000868|SMILES formula=c1cc(ccc1N)S(=O)(=O)Nc2cncc(n2)Cl
MS:1002894|InChIKey=QKLPUVXBJHRFQZ-UHFFFAOYSA-N
MS:1003403|InChI=InChI=1S/C10H9ClN4O2S/c11-9-5-13-6-10(14-9)15-18(16,17)8-3-1-7(12)2-4-8/h1-6H,12H2,(H,14,15)
MS:1003053|theoretical monoisotopic m/z=285.0207
<Interpretation=1>
MS:1003288|number of unassigned peaks=1
<Peaks>
65.0382\t3.822962\t?
108.0457\t12.172375\tf{C6H6NO}/-0.0001
156.0118\t100.0\tf{C6H6NO2S}

"""


def mzmlb(mz, intensity, *, precursor_mz, level="2"):
    """The bytes of an mzMLb file of one spectrum."""

    def parameter(accession, value=""):
        return f'<cvParam cvRef="MS" accession="{accession}" name="" value="{value}"/>'

    def array(kind, dataset):
        external = {"MS:1002841": dataset, "MS:1002842": 0, "MS:1002843": len(mz)}
        terms = [parameter(kind), parameter("MS:1000523"), *(parameter(*item) for item in external.items())]
        return f"<binaryDataArray>{''.join(terms)}<binary/></binaryDataArray>"

    ion = f"<selectedIon>{parameter('MS:1000744', precursor_mz)}</selectedIon>"
    xml = (
        '<?xml version="1.0" encoding="utf-8"?>\n<mzML xmlns="http://psi.hupo.org/ms/mzml"><run><spectrumList>'
        f'<spectrum index="0" id="scan=1" defaultArrayLength="{len(mz)}">'
        f"{parameter('MS:1000511', level)}{parameter('MS:1000130')}"
        f"<precursorList><precursor><selectedIonList>{ion}</selectedIonList></precursor></precursorList>"
        f"<binaryDataArrayList>{array('MS:1000514', 'spectrum_mz')}{array('MS:1000515', 'spectrum_intensity')}"
        "</binaryDataArrayList></spectrum></spectrumList></run></mzML>"
    )
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("mzML", data=np.frombuffer(xml.encode(), "i1"), chunks=True, compression="gzip")
        file["mzML_spectrumIndex"] = np.arange(2)
        file["spectrum_mz"] = np.asarray(mz, "f8")
        file["spectrum_intensity"] = np.asarray(intensity, "f4")
    return stream.getvalue()
