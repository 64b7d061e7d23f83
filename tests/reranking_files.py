"""Spectra, an index and models that candidates are re-ranked with, of toy encoders."""

from click.testing import CliRunner

from specbridge_tools.cli.build_index import main as build_index
from specbridge_tools.cli.embed_mols import main as embed_mols
from specbridge_tools.fragmentation.fragments.fragmenter import CAPACITY, COST_LIMIT
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.ranker_file import add_ranker
from specbridge_tools.fragmentation.network.torch_network import TrainableNetwork

# isomers of paracetamol, and one that only loss of water brings to the same m/z; each with another spelling
MOLECULES = {
    "CC(=O)Nc1ccc(O)cc1": "Oc1ccc(NC(C)=O)cc1",
    "COC(=O)c1ccccc1N": "Nc1ccccc1C(=O)OC",
    "NCC(=O)c1ccc(O)cc1": "c1(O)ccc(cc1)C(CN)=O",
    "Cc1ccc([N+](=O)[O-])cc1C": "O=[N+]([O-])c1ccc(C)c(C)c1",
    "CCOc1ccc(N=O)cc1": "O=Nc1ccc(cc1)OCC",
    "NC(=O)Cc1ccc(O)cc1": "c1cc(O)ccc1CC(N)=O",
    "CNC(=O)c1ccccc1O": "Oc1c(C(NC)=O)cccc1",
    "NC(c1ccccc1)C(=O)O": "OC(C(N)c1ccccc1)=O",
    "CCOC(=O)c1ccccn1": "n1c(C(=O)OCC)cccc1",
    "NCC(O)c1ccc(O)c(O)c1": "Oc1ccc(cc1O)C(CN)O",
}
CALIBRATION = {"scale": 0.3, "none": -1.0, "none_log_candidates": 0.2, "none_log_top": -0.3}
PEAKS = {
    "low": "53.0386 3\n65.0386 10\n92.0495 5\n93.0335 12\n110.0600 100\n134.0600 3\n152.0706 40\n",
    "high": "53.0386 30\n65.0386 60\n93.0335 12\n110.0600 100\n",
    "other": "51.0230 5\n77.0386 40\n105.0335 70\n120.0444 100\n152.0706 10\n",
}


def record(title, peaks, *, mz=152.0706, fields="ADDUCT=[M+H]+\nCHARGE=1+\n", formula="C8H9NO2"):
    return f"BEGIN IONS\nTITLE={title}\nPEPMASS={mz}\n{fields}FORMULA={formula}\n{PEAKS[peaks]}END IONS\n\n"


SPECTRA = (
    record("low", "low", fields="ADDUCT=[M+H]+\nFEATURE_ID=1\nCANDIDATES=a\n")
    + record("nothing", "low", mz=999.5)
    + record("other", "other", fields="ADDUCT=[M+H]+\nFEATURE_ID=2\nCANDIDATES=a\n")
    + record("high", "high", fields="ADDUCT=[M+H]+\nFEATURE_ID=1\nCANDIDATES=a\n")
    + record("no adduct", "low", fields="CHARGE=1+\nCANDIDATES=b\n")
)


def make_index(folder, name, smiles, ids):
    rows = "".join(f"{text} {one}\n" for one, text in zip(ids, smiles, strict=True))
    (folder / f"{name}.smi").write_text(rows)
    arguments = [folder / f"{name}.smi", "--encoder", "toy", "--threads", "1", "-q", "-o", folder / f"{name}.h5"]
    assert CliRunner().invoke(embed_mols, list(map(str, arguments))).exit_code == 0
    arguments = [folder / f"{name}.h5", "-q", "-o", folder / f"{name}.index.h5"]
    assert CliRunner().invoke(build_index, list(map(str, arguments))).exit_code == 0


def make_models(folder, save_toy_model):
    """A toy model without a ranker, and with one whose weights are the seeded start of training."""
    save_toy_model(folder / "plain.safetensors", calibration={**CALIBRATION, "scale": 5.0})
    values = {"capacity": CAPACITY, "limit": COST_LIMIT, "cosine_weight": 2.0, "fragment_weight": 1.0}
    ranker = Ranker([TrainableNetwork().weights()], values)
    add_ranker(ranker, folder / "plain.safetensors", folder / "model.safetensors")
    values["calibration"] = {"first": 4, **CALIBRATION}
    add_ranker(Ranker(ranker.networks, values), folder / "plain.safetensors", folder / "calibrated.safetensors")
