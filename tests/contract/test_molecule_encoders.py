"""What every molecular encoder promises."""

import numpy as np
import pytest

from specbridge_tools.encoders.base import FingerprintEncoder
from specbridge_tools.encoders.molecular.morgan import fit_projection
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.errors import UsageError
from specbridge_tools.molecules.chemistry import standardise

SMILES = ["CCO", "Cn1cnc2c1c(=O)n(C)c(=O)n2C", "NCC(=O)O", "C[N+](C)(C)CC(=O)[O-]", "c1ccc2ccccc2c1", "C", "CCO"]
SPECS = ("toy", "toy:dimension=7", "morgan", "morgan:radius=3,bits=512,counts=true,dimension=33,seed=5",
         "morgan:bits=256,dimension=0", "morgan:file", "default", "chemberta", "chemberta,pooling=mean")  # fmt: skip


@pytest.fixture(params=SPECS, scope="module")
def spec(request, tmp_path_factory):
    if request.param == "morgan:file":
        path = tmp_path_factory.mktemp("fitted") / "p.safetensors"
        alkanes = [f"{'C' * i}{end}" for i in range(1, 8) for end in ("", "O", "N", "S")]
        fit_projection(alkanes + SMILES, path, bits=128, dimension=12)
        return f"morgan:file={path}"
    if request.param.startswith("chemberta"):
        return request.param.replace("chemberta", f"chemberta:{request.getfixturevalue('roberta_folder')}")
    return request.param


@pytest.fixture(scope="module")
def encoder(spec):
    return MOLECULE_ENCODERS.create(spec, device="cpu", allow_download=False)


def test_one_float32_row_a_molecule(encoder):
    vectors = encoder.encode(SMILES)
    assert vectors.shape == (len(SMILES), encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert encoder.encode([]).shape == (0, encoder.dimension)


def test_equal_molecules_have_equal_vectors_and_others_do_not(encoder):
    vectors = encoder.encode(SMILES)
    assert vectors[0].tolist() == vectors[-1].tolist()
    assert len({row.tobytes() for row in vectors}) == len(SMILES) - 1
    assert np.linalg.norm(vectors, axis=1).min() > 0


def test_neighbours_do_not_matter(encoder):
    together = encoder.encode(SMILES)
    alone = np.concatenate([encoder.encode([text]) for text in SMILES])
    assert alone == pytest.approx(together, rel=1e-5, abs=1e-6)
    assert encoder.encode(SMILES[::-1])[::-1] == pytest.approx(together, rel=1e-5, abs=1e-6)


def test_made_again_it_is_the_same(encoder, spec):
    again = MOLECULE_ENCODERS.create(spec)
    assert (again.name, again.weights_sha256, again.dimension) == (
        encoder.name, encoder.weights_sha256, encoder.dimension,
    )  # fmt: skip
    assert again.encode(SMILES).tolist() == encoder.encode(SMILES).tolist()
    assert len(encoder.weights_sha256) == 64
    assert MOLECULE_ENCODERS.find(encoder.name.partition(":")[0])


def test_nothing_short_is_truncated(encoder):
    n_before = len(encoder.truncated)
    encoder.encode(["CCO"])
    assert len(encoder.truncated) == n_before


def test_counts_from_the_standardising_pass_give_the_same_vectors(encoder):
    if not isinstance(encoder, FingerprintEncoder):
        pytest.skip("reads the SMILES itself")
    radius, bits = encoder.fingerprint
    counts = [standardise(text, fingerprint=(radius, bits)).counts for text in SMILES]
    assert encoder.encode_counts(counts).tolist() == encoder.encode(SMILES).tolist()


def test_which_encoders_read_fingerprints(encoder, spec):
    assert isinstance(encoder, FingerprintEncoder) == spec.startswith(("morgan", "default"))


def test_every_registered_encoder_is_under_this_contract():
    assert {spec.partition(":")[0].partition(",")[0] for spec in SPECS} == set(MOLECULE_ENCODERS.names())


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UsageError, match="no molecule encoder 'nosuch'; known: chemberta, default, morgan, toy"):
        MOLECULE_ENCODERS.create("nosuch")
