"""The published configuration: its sizes, its start, and low-rank changes in its place."""

import argparse

import numpy as np
import pytest
import torch

from specbridge_tools.bridge import training
from specbridge_tools.bridge.checkpoint import load_model, save_model
from specbridge_tools.bridge.model import AlignedModel, ModelConfig
from specbridge_tools.bridge.new_model import parameter_counts
from specbridge_tools.bridge.training import TrainingOptions, choose_trained, train
from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.encoders.spectral.dreams.encoder import DreamsEncoder
from specbridge_tools.encoders.spectral.dreams.network import DreamsConfig, DreamsNetwork
from specbridge_tools.errors import MismatchError, UsageError
from specbridge_tools.weights.tensor_file import read_tensor_file, write_tensor_file

TINY = {"n_layers": 3, "d_peak": 8, "d_fourier": 24, "fourier_hidden": 16, "fourier_depth": 3, "n_peaks": 8}
PUBLISHED = TrainingOptions(losses={"mse": 1.0}, unfrozen_blocks=2, learning_rate=1e-4)


@pytest.fixture
def base(tmp_path):
    """A checkpoint in the published layout, tiny and random."""
    torch.manual_seed(5)
    sizes = {**TINY, "frequencies": "given", "n_frequencies": 7}
    network = DreamsNetwork(DreamsConfig.official(**sizes))
    with torch.no_grad():
        network.fourier_enc.b.copy_(torch.rand(1, 7))
    path = tmp_path / "ssl_model.ckpt"
    torch.save({"state_dict": network.state_dict(), "hyper_parameters": argparse.Namespace()}, path)
    return path


@pytest.mark.parametrize("words", [581, 600])
def test_published_parameter_counts(words):
    """ChemBERTa_augmented_pubchem_13m: 6 layers, 768 wide, and a file of 176 MB, which leaves its vocabulary no choice
    but about 600 words; the tokenizers of its authors have 581, those of ChemBERTa-2 say 600. Both give the counts."""
    from transformers import RobertaConfig, RobertaForMaskedLM, RobertaModel

    sizes = {"hidden_size": 768, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 3072}
    chemberta = RobertaConfig(vocab_size=words, max_position_embeddings=515, type_vocab_size=1, **sizes)
    with torch.device("meta"):
        encoder = DreamsEncoder(DreamsConfig.official(), pooling="mean")
        sizes = {"projector": "published", "projector_hidden": 2048, "projector_depth": 8, "dropout": 0.0}
        model = AlignedModel(ModelConfig(encoder.describe(), "chemberta", "", 768, **sizes), encoder)
        molecular = sum(parameter.numel() for parameter in RobertaModel(chemberta).parameters())
        stored = sum(parameter.numel() for parameter in RobertaForMaskedLM(chemberta).parameters())
    assert round(4 * stored / 1e6) == 176
    choose_trained(model, PUBLISHED)
    trained, total = parameter_counts(model)
    assert trained - 1 == 58_249_984  # 1: the temperature of losses that this one has not
    assert round(trained / 1e6, 1) == 58.2
    assert round((total + molecular) / 1e6, 1) == 172.6


def test_low_rank_changes_of_the_full_size_are_a_few_megabytes():
    with torch.device("meta"):
        encoder = DreamsEncoder(DreamsConfig.official(), lora_rank=8, base_sha256="0" * 64)
    stored = {name: tensor for name, tensor in encoder.state_dict().items() if name not in encoder.base_tensors()}
    assert len(stored) == 7 * (4 + 2) * 2
    assert 3.5e6 < sum(4 * tensor.numel() for tensor in stored.values()) < 4.5e6


def test_the_map_starts_orthogonal_and_the_blocks_at_zero(make_model):
    model = make_model(projector="published", projector_hidden=16, projector_depth=8).eval()
    projector = model.projector
    torch.testing.assert_close(projector.map.weight @ projector.map.weight.T, torch.eye(8), rtol=0, atol=1e-5)
    x = torch.randn(5, model.encoder.dimension)
    torch.testing.assert_close(projector(x), projector.map(projector.head(x)))
    assert len(projector.blocks) == 8
    assert projector.blocks[0].inner.out_features == 16


def low_rank(make_model, base, rank=2):
    model = make_model(f"dreams:{base},n_peaks=8")
    model.encoder.add_low_rank(rank)
    return AlignedModel(ModelConfig(model.encoder.describe(), "toy", "abc", 8, projector_hidden=16), model.encoder)


@pytest.mark.slow
def test_low_rank_changes_alone_learn_and_are_stored(make_model, pairs, base, tmp_path):
    model = low_rank(make_model, base)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    options = TrainingOptions(losses={"cosine": 1.0}, epochs=2, batch_size=16, learning_rate=1e-2)
    train(model, pairs, pairs, options, checkpoint=tmp_path / "c", fingerprint={})
    after = model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name for name in changed if name.startswith("encoder.")} == {
        f"encoder.network.transformer_encoder.{part}.{layer}.lora.{i}.{half}.weight"
        for layer in range(3)
        for part, n in (("atts", 4), ("ffs", 2))
        for i in range(n)
        for half in ("down", "up")
    }
    save_model(model, tmp_path / "m.safetensors")
    assert (tmp_path / "m.safetensors").stat().st_size < 0.8 * base.stat().st_size
    loaded = load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.encode_features(pairs.features), model.encode_features(pairs.features))


def test_an_untrained_change_is_none(make_model, pairs, base):
    spec = f"dreams:{base},n_peaks=8"
    encoder = SPECTRUM_ENCODERS.create(spec).eval()
    changed = SPECTRUM_ENCODERS.create(spec).eval()
    changed.add_low_rank(3)
    with torch.no_grad():
        torch.testing.assert_close(changed(pairs.features), encoder(pairs.features))


def test_the_base_is_found_again_or_named(make_model, base, tmp_path, monkeypatch):
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "home"))
    path = tmp_path / "m.safetensors"
    save_model(low_rank(make_model, base), path)
    stored = tmp_path / "home/weights/dreams-ssl"
    stored.mkdir(parents=True)
    moved = base.rename(stored / "ssl_model.ckpt")
    assert load_model(path).encoder.lora_rank == 2
    moved.rename(tmp_path / "elsewhere")
    with pytest.raises(
        MismatchError, match=r"ssl_model\.ckpt: the model is a change of weights \w+, which are not there"
    ):
        load_model(path)
    other = DreamsNetwork(DreamsConfig.official(**TINY))
    torch.save({"state_dict": other.state_dict()}, base)
    with pytest.raises(MismatchError, match="other weights are there"):
        load_model(path)


def test_tensors_of_the_base_do_not_belong_into_a_change_of_it(make_model, base, tmp_path):
    path = tmp_path / "m.safetensors"
    save_model(low_rank(make_model, base), path)
    header, tensors = read_tensor_file(path, framework="pt")
    frozen = "encoder.network.transformer_encoder.atts.0.weights"
    write_tensor_file({**tensors, frozen: torch.zeros(128, 32)}, header, path)
    with pytest.raises(MismatchError, match=f"1 left over .{frozen}."):
        load_model(path)


def test_low_rank_changes_need_weights_to_start_from():
    with pytest.raises(UsageError, match="needs weights to start from"):
        DreamsEncoder(DreamsConfig.official(**TINY)).add_low_rank(2)


@pytest.mark.slow
def test_recomputed_activations_give_the_same_gradients(make_model, pairs, base):
    gradients = []
    for recompute in (False, True):
        model = make_model(f"dreams:{base},n_peaks=8,dropout=0.3").train()
        options = TrainingOptions(losses={"cosine": 1.0}, unfrozen_blocks=2, recompute=recompute)
        choose_trained(model, options)
        torch.manual_seed(1)
        model(pairs.features)[:, 0].sum().backward()
        learned = [p for p in model.encoder.parameters() if p.requires_grad]
        assert learned
        gradients.append([p.grad.clone() for p in learned])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def saved_bytes(model, features):
    """What a forward pass keeps for the backward pass, parameters left out."""
    own = {parameter.data_ptr() for parameter in model.parameters()}
    kept = {}

    def pack(tensor):
        if tensor.data_ptr() not in own:
            kept[tensor.data_ptr(), tensor.shape] = tensor.nbytes
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model.encoder(features)
    return sum(kept.values())


@pytest.mark.parametrize(("unfrozen_blocks", "share"), [(-1, 0.25), (2, 0.35)])
def test_recomputing_keeps_little_of_the_forward_pass(make_model, pairs, base, unfrozen_blocks, share):
    kept = []
    for recompute in (False, True):
        model = make_model(f"dreams:{base},n_peaks=8").train()
        options = TrainingOptions(losses={"cosine": 1.0}, unfrozen_blocks=unfrozen_blocks, recompute=recompute)
        choose_trained(model, options)
        kept.append(saved_bytes(model, pairs.features))
    assert 0 < kept[1] < share * kept[0]


def test_the_best_weights_are_kept_of_what_learns_alone(make_model, pairs, base, tmp_path, monkeypatch):
    held = []
    monkeypatch.setattr(training, "save_checkpoint", lambda *arguments: held.append(set(arguments[3].best)))
    model = make_model(f"dreams:{base},n_peaks=8")
    options = TrainingOptions(losses={"mse": 1.0}, unfrozen_blocks=1, epochs=1, batch_size=16)
    train(model, pairs, pairs, options, checkpoint=tmp_path / "c", fingerprint={})
    learned = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    buffers = {name for name, _ in model.named_buffers()}
    assert held == [learned | buffers]
