"""What every spectral encoder promises."""

import numpy as np
import pytest
import torch
from builders import spectrum

from specbridge_tools.encoders.base import BlockEncoder, LowRankEncoder, RecomputingEncoder, VocabularyEncoder
from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.encoders.spectral.dreams.encoder import DreamsEncoder
from specbridge_tools.encoders.spectral.features import ADDUCT_INDEX, spectrum_features
from specbridge_tools.errors import UsageError
from specbridge_tools.spectra.spectrum import Spectrum

SMALL = "d_peak=8,d_fourier=24,n_heads=4,fourier_hidden=16,n_layers=2,mass_tokens=50"
SPECS = (
    "toy",
    "massbins:width=8,least_spectra=1",
    f"dreams:{SMALL}",
    f"dreams:preset=official,{SMALL},n_peaks=20,pooling=mean",
)


def random_spectrum(n_peaks, *, precursor_mz=300.5, seed=0, adduct=None, **fields):
    rng = np.random.default_rng([n_peaks, seed])
    mz = np.sort(rng.uniform(50, 300, n_peaks))
    return spectrum(list(zip(mz, rng.uniform(1, 1000, n_peaks), strict=True)), precursor_mz, adduct, **fields)


@pytest.fixture(params=SPECS)
def encoder(request):
    torch.manual_seed(0)
    created = SPECTRUM_ENCODERS.create(request.param)
    if isinstance(created, VocabularyEncoder):
        created.learn_vocabulary(
            spectrum_features([random_spectrum(n) for n in (3, 6, 12, 40)], n_peaks=created.n_peaks)
        )
    return created.eval()


def encode(encoder, spectra):
    features = spectrum_features(spectra, n_peaks=encoder.n_peaks, fixed_width=encoder.fixed_width)
    with torch.inference_mode():
        return encoder(features).numpy()


def test_neighbours_in_the_batch_change_nothing(encoder):
    spectra = [random_spectrum(3), random_spectrum(40), random_spectrum(12, precursor_mz=288.2)]
    together = encode(encoder, spectra)
    alone = np.concatenate([encode(encoder, [one]) for one in spectra])
    assert together.shape == (3, encoder.dimension)
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)


def test_scale_of_intensities_and_faint_peaks_change_nothing(encoder):
    one = random_spectrum(encoder.n_peaks + 5)
    louder = Spectrum("x", one.precursor_mz, one.mz, one.intensity * 8)
    keep = np.argsort(-one.intensity)[: encoder.n_peaks]
    highest = Spectrum("x", one.precursor_mz, one.mz[np.sort(keep)], one.intensity[np.sort(keep)])
    expected, *others = encode(encoder, [one, louder, highest])
    for other in others:
        np.testing.assert_allclose(other, expected, rtol=1e-5, atol=1e-6)


def test_a_shifted_peak_is_seen(encoder):
    one = random_spectrum(6)
    moved = Spectrum("x", one.precursor_mz, one.mz + np.eye(6)[3] * 0.7, one.intensity)
    first, second = encode(encoder, [one, moved])
    assert np.abs(first - second).max() > 1e-4


def test_description_rebuilds_the_encoder(encoder):
    description = encoder.describe()
    rebuilt = SPECTRUM_ENCODERS.find(description["name"]).from_description(description)
    rebuilt.load_state_dict(encoder.state_dict())
    spectra = [random_spectrum(9), random_spectrum(2)]
    np.testing.assert_array_equal(encode(encoder, spectra), encode(rebuilt.eval(), spectra))


def test_what_each_encoder_can_do(encoder):
    able = {kind for kind in (BlockEncoder, LowRankEncoder, RecomputingEncoder, VocabularyEncoder)
            if isinstance(encoder, kind)}  # fmt: skip
    expected = {"toy": set(), "massbins": {VocabularyEncoder}}
    assert able == expected.get(encoder.describe()["name"], {BlockEncoder, LowRankEncoder, RecomputingEncoder})


def test_conditions_are_read_and_may_be_missing():
    torch.manual_seed(0)
    encoder = DreamsEncoder.from_argument(SMALL).eval()
    same = [
        random_spectrum(5),
        random_spectrum(5, adduct="[M+H]+", polarity=1),
        random_spectrum(5, adduct="[M+Na]+", polarity=1),
        random_spectrum(5, adduct="[M+Na]+", polarity=1, collision_energy="40 eV"),
        random_spectrum(5, polarity=-1),
    ]
    rows = encode(encoder, same)
    assert np.isfinite(rows).all()
    gaps = np.linalg.norm(rows[:, None] - rows[None], axis=-1)
    assert (gaps[~np.eye(5, dtype=bool)] > 1e-4).all()


def test_adduct_indices_are_distinct():
    assert sorted(ADDUCT_INDEX.values()) == list(range(3, 16))


def test_freezing_leaves_the_last_blocks():
    encoder = DreamsEncoder.from_argument(f"{SMALL},n_layers=4")
    encoder.freeze_below(1)
    trained = {name for name, parameter in encoder.named_parameters() if parameter.requires_grad}
    assert trained == {
        "network.transformer_encoder.atts.3.weights",
        "network.transformer_encoder.ffs.3.in_proj.weight",
        "network.transformer_encoder.ffs.3.out_proj.weight",
        *(f"network.transformer_encoder.scales.{i}.{kind}" for i in (6, 7, 8) for kind in ("weight", "bias")),
    }
    encoder.freeze_below(0)
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nothing", "no spectral encoder 'nothing'"),
        ("dreams:layers=3", "unknown encoder option 'layers=3'"),
        ("dreams:n_heads=7", "not a multiple"),
        ("dreams:pooling=max", "pooling 'max'"),
        ("dreams:preset=large", "unknown preset"),
        ("dreams:frequencies=few", "frequencies 'few'"),
        ("dreams:neutral_losses=perhaps", "expected true or false"),
    ],
)
def test_bad_specs_are_refused(spec, message):
    with pytest.raises(UsageError, match=message):
        SPECTRUM_ENCODERS.create(spec)
