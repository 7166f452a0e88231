"""Scores and losses of the output layers, against their definitions and torch's own losses."""

import pytest
import torch
import torch.nn.functional as F

from genrenet.models.outputs import frame_losses, log_scores


def test_scores_sum_to_one_and_equal_their_definitions():
    logits = torch.randn(5, 4)
    assert torch.allclose(log_scores(logits, "softmax").exp(), logits.softmax(-1))
    sigmoid = logits.sigmoid()
    wanted = sigmoid / sigmoid.sum(-1, keepdim=True)
    assert torch.allclose(log_scores(logits, "normalised-sigmoid").exp(), wanted, atol=1e-6)
    extreme = log_scores(torch.tensor([[-200.0, -300.0]]), "normalised-sigmoid")
    assert torch.isfinite(extreme).all()


def test_scores_of_tags_are_sigmoids_that_do_not_count_each_other():
    logits = torch.tensor([[0.0, 3.0, -2.0], [5.0, 5.0, 5.0]])
    found = log_scores(logits, "sigmoid").exp()
    torch.testing.assert_close(found, logits.sigmoid())
    assert found[1].sum() > 2.9
    torch.testing.assert_close(log_scores(logits[:, :1], "sigmoid").exp(), found[:, :1])


@pytest.mark.parametrize("activation", ["softmax", "normalised-sigmoid", "sigmoid"])
def test_the_order_of_the_labels_is_that_of_the_logits(activation):
    logits = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(log_scores(logits, activation).argsort(-1), logits.argsort(-1))


def test_losses_equal_those_of_torch():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 4, generator=generator)
    target = torch.rand(6, 4, generator=generator).softmax(-1)
    found = frame_losses(logits, target, "softmax")
    torch.testing.assert_close(found, F.cross_entropy(logits, target, reduction="none"))
    found = frame_losses(logits, target, "sigmoid")
    wanted = F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(dim=-1)
    torch.testing.assert_close(found, wanted)
    shares = logits.sigmoid() / logits.sigmoid().sum(dim=-1, keepdim=True)
    found = frame_losses(logits, target, "normalised-sigmoid")
    torch.testing.assert_close(found, -(target * shares.log()).sum(dim=-1))


@pytest.mark.parametrize("activation", ["softmax", "normalised-sigmoid", "sigmoid"])
def test_a_hopeless_frame_has_a_finite_loss_and_gradient(activation):
    logits = torch.tensor([[400.0, -400.0]], requires_grad=True)
    loss = frame_losses(logits, torch.tensor([[0.0, 1.0]]), activation)
    assert loss.shape == (1,)
    assert 400 <= loss.item() < 1000
    loss.sum().backward()
    assert torch.isfinite(logits.grad).all()
