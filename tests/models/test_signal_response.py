"""A model's response to noise: reproducible, and specific to the model."""

import pytest
import torch

from genrenet.data.frames import FrameSettings
from genrenet.models.description import CheckpointMismatchError
from genrenet.models.signal_response import TOLERANCE, check_response, response
from tests.helpers.small_training import small_model

OTHERS = {
    "network": {"class_path": "mine.Net", "name": "Net", "settings": {}},
    "frontend": {"plugin": "theirs", "name": "Waves", "settings": {}},
}


def _model():
    model = small_model()
    model.frames = FrameSettings(1.5, 0)
    return model


def test_a_response_is_repeatable_and_has_a_logit_for_each_label():
    model = _model()
    found = response(model)
    assert len(found) == 3
    assert all(type(value) is float for value in found)
    assert response(model) == found
    with torch.no_grad():
        model.network.head.bias += 1.0
    assert response(model) == pytest.approx([value + 1 for value in found], abs=1e-4)


def test_modes_gradients_and_random_numbers_stay():
    model = _model().train()
    model.network.convolutions.eval()
    modes = [module.training for module in model.modules()]
    statistics = {name: value.clone() for name, value in model.named_buffers()}
    state = torch.get_rng_state()
    response(model)
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, statistics[name]) for name, value in model.named_buffers())
    assert all(p.grad is None and p.requires_grad for p in model.network.parameters())


def test_modes_are_restored_after_an_error():
    model = _model().train()
    model.network.head = torch.nn.Linear(1, 3)  # of another size than the embedding
    with pytest.raises(RuntimeError):
        response(model)
    assert all(module.training for module in model.modules())


def test_small_differences_are_a_share_of_the_largest_logit():
    wanted = [10.0, -5.0]
    check_response(wanted, wanted, "it", OTHERS)
    check_response([10.0, -5.0 + 9 * TOLERANCE], wanted, "it", OTHERS)
    with pytest.raises(CheckpointMismatchError):
        check_response([10.0, -5.0 + 11 * TOLERANCE], wanted, "it", OTHERS)
    check_response([0.9 * TOLERANCE], [0.0], "it", OTHERS)  # small logits are measured against 1


@pytest.mark.parametrize("found", [[1.0], [1.0, 2.0, 3.0], [1.0, float("nan")], [1.0, 3.0]])
def test_another_response_names_the_others_classes(found):
    with pytest.raises(
        CheckpointMismatchError, match=r"'it' .* another version of mine\.Net or Waves"
    ):
        check_response(found, [1.0, 2.0], "it", OTHERS)


def test_classes_of_the_package_are_not_blamed():
    description = {**OTHERS, "frontend": {"sample_rate": 12_000}}
    with pytest.raises(CheckpointMismatchError, match=r"another version of mine\.Net: found"):
        check_response([0.0], [1.0], "it", description)
