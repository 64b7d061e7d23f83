"""Small valid files that the seeds of several formats are made of."""

from pathlib import Path

from fuzz.limits import run_command

MOLECULES = """id\tname\tsmiles
m1\tparacetamol\tCC(=O)Nc1ccc(O)cc1
m2\tcaffeine\tCN1C=NC2=C1C(=O)N(C)C(=O)N2C
m3\tisomer\tCOC(=O)c1ccc(N)cc1
m4\tphenol \u00e4\tOc1ccccc1
m5\tglucose\tOCC1OC(O)C(O)C(O)C1O
"""
SPECTRA = """BEGIN IONS
TITLE=a
PEPMASS=152.0706
CHARGE=1+
ADDUCT=[M+H]+
65.0386 10
110.0600 100
END IONS

BEGIN IONS
TITLE=b
PEPMASS=195.0877
ADDUCT=[M+H]+
FORMULA=C8H10N4O2
138.0662 100
110.0713 20
END IONS

BEGIN IONS
TITLE=without peaks
PEPMASS=95.0491
END IONS
"""


def run(folder: Path, *arguments: str) -> None:
    """Run a command in the folder of seeds."""
    outcome = run_command(arguments, folder, limited=False)
    assert outcome.status == 0, outcome.stderr.decode()


def make_library(folder: Path) -> None:
    """Write molecules.tsv, spectra.mgf, molecules.h5 and index.h5 of them."""
    (folder / "molecules.tsv").write_text(MOLECULES, encoding="utf-8")
    (folder / "spectra.mgf").write_text(SPECTRA, encoding="utf-8")
    run(
        folder, "sb-embed-mols", "molecules.tsv", "--encoder", "toy:dimension=8", "-o", "molecules.h5", "--threads", "1"
    )
    run(folder, "sb-build-index", "molecules.h5", "-o", "index.h5", "--threads", "1")


def make_model(path: Path) -> None:
    """Write an untrained model over toy encoders of 8 dimensions."""
    import torch

    from specbridge_tools.bridge.checkpoint import save_model
    from specbridge_tools.bridge.model import AlignedModel, ModelConfig
    from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder

    encoder = ToyMoleculeEncoder(dimension=8)
    torch.manual_seed(0)
    config = ModelConfig(
        encoder={"name": "toy", "dimension": 8},
        molecule_encoder=encoder.name,
        molecule_encoder_sha256=encoder.weights_sha256,
        dimension=8,
        projector_hidden=8,
        projector_depth=1,
    )
    save_model(AlignedModel(config), path)
