"""Parameter groups: weight decay, learning rates, and resuming with other optimisers."""

import functools

import pytest
import torch
from torch import nn

from genrenet.models.description import CheckpointMismatchError
from genrenet.training.parameter_groups import check_groups, decays, parameter_groups
from genrenet.training.schedules import OneCycle


def _stages():
    body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    head = nn.Linear(4, 3)
    return {"body": body.parameters(), "head": head.parameters()}, body, head


def _optimizer(*, decay=True, make=torch.optim.AdamW):
    return make(parameter_groups(_stages()[0], {"body": 0.1, "head": 1.0}, decay=decay), lr=0.1)


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (torch.optim.AdamW, True),
        (functools.partial(torch.optim.AdamW, weight_decay=0.0), False),
        (functools.partial(torch.optim.SGD, lr=0.1), False),
        (functools.partial(torch.optim.SGD, lr=0.1, weight_decay=1e-4), True),
    ],
)
def test_whether_an_optimiser_decays(make, wanted):
    assert decays(make) is wanted


def test_biases_and_norms_are_groups_without_decay():
    stages, body, head = _stages()
    groups = parameter_groups(stages, {"body": 0.1, "head": 1.0}, decay=True)
    assert [(group["name"], group["rate"], len(group["params"])) for group in groups] == [
        ("body", 0.1, 1),
        ("body, undecayed", 0.1, 3),
        ("head", 1.0, 1),
        ("head, undecayed", 1.0, 1),
    ]
    assert groups[0]["params"][0] is body[0].weight
    assert groups[3]["params"][0] is head.bias
    assert ["weight_decay" in group for group in groups] == [False, True, False, True]
    assert groups[1]["weight_decay"] == groups[3]["weight_decay"] == 0


def test_undecayed_weights_stay_where_there_is_no_gradient():
    optimizer = _optimizer()
    before = [[p.detach().clone() for p in group["params"]] for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for group, old in zip(optimizer.param_groups, before, strict=True):
        same = [torch.equal(p, q) for p, q in zip(group["params"], old, strict=True)]
        assert all(same) if "undecayed" in group["name"] else not any(same)


def test_without_decay_a_stage_is_one_group_and_only_rated_stages_have_one():
    (group,) = parameter_groups(_stages()[0], {"head": 0.5}, decay=False)
    assert (group["name"], group["rate"], len(group["params"])) == ("head", 0.5, 2)
    norm = {"norm": nn.BatchNorm1d(3).parameters()}
    (alone,) = parameter_groups(norm, {"norm": 1.0}, decay=True)
    assert alone["name"] == "norm, undecayed"
    assert parameter_groups({"none": []}, {"none": 1.0}, decay=True) == []


def test_the_same_optimiser_goes_on():
    check_groups([_optimizer().state_dict()], _optimizer())
    check_groups([], _optimizer())
    older = _optimizer().state_dict()
    for group in older["param_groups"]:
        del group["name"], group["foreach"]  # what later versions have added
    check_groups([older], _optimizer())
    scheduled = _optimizer()
    OneCycle(scheduled, total_steps=4)
    plain = _optimizer()
    for group in plain.param_groups:
        del group["name"]
    check_groups([scheduled.state_dict()], plain)  # names and first rates do not matter


def test_other_groups_and_other_optimisers_are_named():
    with pytest.raises(CheckpointMismatchError, match=r"groups of \[4, 2\].*wanted \[1, 3, 1, 1\]"):
        check_groups([_optimizer(decay=False).state_dict()], _optimizer())
    with pytest.raises(
        CheckpointMismatchError, match=r"another optimiser: found .*betas.*momentum"
    ):
        check_groups([_optimizer().state_dict()], _optimizer(make=torch.optim.SGD))
