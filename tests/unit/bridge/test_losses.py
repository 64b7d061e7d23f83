import math

import pytest
import torch

from specbridge_tools.bridge.losses import CandidateLoss, CosineLoss, InBatchLoss, MeanSquaredLoss, TrainingLoss
from specbridge_tools.bridge.projector import unit_norm
from specbridge_tools.bridge.sampling import Batch

SPECTRA = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
MOLECULES = torch.tensor([[0.6, 0.8], [0.0, 1.0]])
DECOYS = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 0.0]]])


def batch(*, same_molecule=False, mask=((True, True), (True, False)), scale=2.0):
    index = torch.tensor([5, 5 if same_molecule else 7])
    return Batch(SPECTRA, MOLECULES, index, DECOYS, torch.tensor(mask), torch.tensor(scale, requires_grad=True))


def test_cosine_and_mse_by_hand():
    assert CosineLoss()(batch()).item() == pytest.approx((0.4 + 0.0) / 2)
    assert MeanSquaredLoss()(batch()).item() == pytest.approx((0.4**2 + 0.8**2) / 4)


def test_candidate_loss_by_hand():
    first = -math.log(math.exp(1.2) / (math.exp(1.2) + math.exp(2) + math.exp(0)))
    second = -math.log(math.exp(2) / (math.exp(2) + math.exp(0)))
    assert CandidateLoss()(batch()).item() == pytest.approx((first + second) / 2)


def test_missing_decoys_leave_no_trace_in_value_and_gradient():
    here = batch(mask=((True, True), (False, False)))
    loss = CandidateLoss()(here)
    loss.backward()
    only_first = -math.log(math.exp(1.2) / (math.exp(1.2) + math.exp(2) + math.exp(0)))
    assert loss.item() == pytest.approx(only_first / 2)
    assert math.isfinite(here.scale.grad.item())


def test_in_batch_loss_by_hand_and_masks_repeated_molecules():
    # scores times the scale: [[1.2, 0], [1.6, 2]]
    rows = -math.log(math.exp(1.2) / (math.exp(1.2) + 1)), -math.log(math.exp(2) / (math.exp(2) + math.exp(1.6)))
    columns = -math.log(math.exp(1.2) / (math.exp(1.2) + math.exp(1.6))), -math.log(math.exp(2) / (math.exp(2) + 1))
    assert InBatchLoss()(batch()).item() == pytest.approx((sum(rows) + sum(columns)) / 4)
    assert InBatchLoss()(batch(same_molecule=True)).item() == pytest.approx(0.0, abs=1e-7)


def test_weights_add_up():
    weighted = TrainingLoss({"cosine": 2.0, "mse": 0.5})(batch())
    assert weighted.item() == pytest.approx(2 * 0.2 + 0.5 * 0.2)
    assert TrainingLoss({"candidate": 1.0}).needs_decoys
    assert not TrainingLoss({"mse": 1.0}).needs_decoys


def test_unit_norm_is_what_it_says():
    rows = unit_norm(torch.tensor([[3.0, 4.0], [0.0, 0.0], [1e-6, 0.0]]))
    torch.testing.assert_close(rows, torch.tensor([[0.6, 0.8], [0.0, 0.0], [1.0, 0.0]]))
