"""Morgan fingerprints and their projections."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from specbridge_tools.encoders.molecular import morgan
from specbridge_tools.encoders.molecular.morgan import FittedMorganEncoder, MorganEncoder, fit_projection, random_signs
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.errors import DataError, FormatError, UsageError
from specbridge_tools.molecules.chemistry import morgan_counts

SMILES = [f"{'C' * i}{end}" for i in range(1, 12) for end in ("", "O", "N", "c1ccccc1", "C(=O)O", "S", "Cl")]


def test_the_random_signs_never_change():
    signs = random_signs(4, 8, 7)
    # the bits of the first word of Philox4x64-10 for key 7, lowest first: a contract with every file written so far
    word = 0xDF4034B829E9FBA4
    expected = [1.0 if word >> i & 1 else -1.0 for i in range(32)]
    assert signs.ravel().tolist() == expected
    assert signs.dtype == np.float32
    assert abs(random_signs(512, 512, 0).mean()) < 0.01


def test_vectors_are_sums_of_signs():
    encoder = MorganEncoder(radius=1, bits=64, counts=True, dimension=16, seed=3)
    counts = morgan_counts(["CCO", "CCCC"], radius=1, bits=64, counts=True).toarray()
    expected = counts @ random_signs(64, 16, 3) / 4
    assert encoder.encode(["CCO", "CCCC"]).tolist() == expected.tolist()


def test_dimension_0_is_the_fingerprint_itself():
    encoder = MorganEncoder(bits=128, dimension=0)
    assert encoder.dimension == 128
    assert (
        encoder.encode(["CCO"]).tolist() == morgan_counts(["CCO"], radius=2, bits=128, counts=False).toarray().tolist()
    )


def test_inner_products_are_kept():
    full = MorganEncoder(dimension=0, counts=True).encode(SMILES)
    projected = MorganEncoder(dimension=2048, counts=True).encode(SMILES)
    error = full @ full.T - projected @ projected.T
    assert np.abs(error).max() < 0.15 * np.square(full).sum(axis=1).max()


def test_name_and_hash_tell_all_options():
    encoder = MOLECULE_ENCODERS.create("morgan:bits=64,counts=true")
    assert encoder.name == "morgan:radius=2,bits=64,counts=true,dimension=512,seed=0"
    assert MOLECULE_ENCODERS.create(encoder.name).weights_sha256 == encoder.weights_sha256
    assert MOLECULE_ENCODERS.create("morgan:bits=64").weights_sha256 != encoder.weights_sha256


@pytest.mark.parametrize(
    "argument", ["bits=0", "bits=4000000", "radius=-1", "dimension=-1", "seed=-1", "bits=x", "no=1", "x"]
)
def test_options_are_checked(argument):
    with pytest.raises(UsageError):
        MOLECULE_ENCODERS.create(f"morgan:{argument}")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    path = tmp_path_factory.mktemp("morgan") / "fitted.safetensors"
    fit_projection(iter(SMILES), path, radius=2, bits=256, counts=True, dimension=20)
    return path


def test_a_fitted_projection_is_the_truncated_svd_of_the_weighted_counts(fitted):
    counts = morgan_counts(SMILES, radius=2, bits=256, counts=True).toarray().astype(float)
    idf = np.log((1 + len(SMILES)) / (1 + (counts > 0).sum(axis=0)))
    weighted = np.log1p(counts) * idf
    singular = np.linalg.svd(weighted)[1]
    vectors = FittedMorganEncoder(fitted).encode(SMILES)
    assert vectors.shape == (len(SMILES), 20)
    # the columns are scaled left singular vectors: orthogonal, with the singular values as norms
    assert np.linalg.norm(vectors, axis=0) == pytest.approx(singular[:20], rel=2e-3)
    products = vectors.T @ vectors
    assert np.abs(products - np.diag(np.diag(products))).max() < 5e-3 * products.max()
    assert load_file(fitted)["idf"] == pytest.approx(idf, rel=1e-6)


def test_the_file_says_what_it_is(fitted):
    with safe_open(fitted, framework="np") as file:
        header = json.loads(file.metadata()["specbridge"])
        assert file.get_tensor("projection").dtype == np.float16
    assert header["format"] == "specbridge-molecule-projection"
    assert (header["radius"], header["bits"], header["counts"], header["n_molecules"]) == (2, 256, True, len(SMILES))


def test_fitting_again_gives_the_same_bytes(fitted, tmp_path):
    fit_projection(SMILES, tmp_path / "again", radius=2, bits=256, counts=True, dimension=20)
    assert (tmp_path / "again").read_bytes() == fitted.read_bytes()


def test_binary_fit(tmp_path):
    fit_projection(SMILES, tmp_path / "p", bits=64, counts=False, dimension=8)
    encoder = MOLECULE_ENCODERS.create(f"morgan:file={tmp_path / 'p'}")
    tensors = load_file(tmp_path / "p")
    bits = morgan_counts(["CCO"], radius=2, bits=64, counts=False).toarray()
    expected = bits @ (tensors["idf"][:, None] * tensors["projection"].astype(np.float32))
    assert encoder.encode(["CCO"]) == pytest.approx(expected, rel=1e-5)
    assert encoder.name == "morgan:fitted"


def test_too_few_molecules_to_fit(tmp_path):
    with pytest.raises(DataError, match="3 molecules and 64 bits cannot be fitted by 8 dimensions"):
        fit_projection(["C", "CC", "CCC"], tmp_path / "p", bits=64, dimension=8)
    assert list(tmp_path.iterdir()) == []


def header(**changes):
    values = {"format": morgan.FORMAT, "format_version": 1, "radius": 2, "bits": 8, "counts": True}
    return {"specbridge": json.dumps(values | changes)}


@pytest.mark.parametrize(
    ("tensors", "metadata", "message"),
    [
        ({"idf": (8,), "projection": (8, 2)}, None, "is a safetensors file, but no specbridge-molecule-projection"),
        ({"idf": (8,), "projection": (8, 2)}, header(format="other"), "is a other, expected a specbridge-molecule"),
        ({"idf": (8,), "projection": (8, 2)}, header(format_version=2), "version 2, this release reads 1"),
        ({"idf": (8,), "projection": (8, 2)}, {"specbridge": "{"}, "is no safetensors file, or a broken one"),
        ({"projection": (8, 2)}, header(), "is a specbridge-molecule-projection without 'idf'"),
        ({"idf": (8,), "projection": (9, 2)}, header(), "do not fit the 8 bits"),
        ({"idf": (7,), "projection": (8, 2)}, header(), "do not fit the 8 bits"),
        ({"idf": (8,), "projection": (8,)}, header(), "do not fit the 8 bits"),
    ],
)
def test_other_files_are_refused(tmp_path, tensors, metadata, message):
    path = tmp_path / "x.safetensors"
    save_file({name: np.zeros(shape, np.float32) for name, shape in tensors.items()}, path, metadata=metadata)
    with pytest.raises(FormatError, match=message):
        FittedMorganEncoder(path)


def test_broken_and_missing_files(tmp_path, fitted):
    (tmp_path / "cut").write_bytes(fitted.read_bytes()[:-10])
    with pytest.raises(FormatError, match="is no safetensors file, or a broken one"):
        FittedMorganEncoder(tmp_path / "cut")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(FormatError, match="is no safetensors file, or a broken one"):
        FittedMorganEncoder(tmp_path / "text")
    with pytest.raises(DataError, match="cannot be read"):
        FittedMorganEncoder(tmp_path / "nosuch")


def test_default_takes_no_options():
    with pytest.raises(UsageError, match="takes no options"):
        MOLECULE_ENCODERS.create("default:bits=3")
