"""The one-cycle schedule: its shape, its length, and resuming with another length."""

import math

import pytest
import torch
from torch import nn

from genrenet.training.schedules import OneCycle, ScheduleError


def _schedule(**settings):
    return OneCycle(torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1), **settings)


def _run(schedule, steps):
    for _ in range(steps):
        schedule.optimizer.step()
        schedule.step()
    return schedule


def test_one_cycle_climbs_and_falls():
    parameters = [nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))]
    groups = [{"params": parameters[:1], "lr": 0.1}, {"params": parameters[1:], "lr": 0.01}]
    optimizer = torch.optim.SGD(groups)
    schedule = OneCycle(optimizer, warmup=0.25)
    schedule.set_total_steps(100)
    rates = []
    for _ in range(100):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    first = [rate[0] for rate in rates]
    assert first.index(max(first)) == 25
    assert max(first) == pytest.approx(0.1)
    assert first[0] == pytest.approx(0.004)
    assert first[-1] == pytest.approx(1e-4)
    assert all(a == pytest.approx(10 * b) for a, b in rates)
    with pytest.raises(ScheduleError, match="warm-up"):
        OneCycle(optimizer, warmup=2)
    forgotten = OneCycle(optimizer)
    optimizer.step()
    with pytest.raises(ScheduleError, match="length"):
        forgotten.step()


def test_the_course_is_two_half_cosines():
    schedule = _schedule(warmup=0.5, start=0.2, end=0.01, total_steps=101)
    assert schedule.factor(0) == 0.2
    assert schedule.factor(25) == pytest.approx(0.6, abs=0.02)
    climb = [schedule.factor(step) for step in range(51)]
    fall = [schedule.factor(step) for step in range(51, 101)]
    assert climb == sorted(climb)
    assert fall == sorted(fall, reverse=True)
    assert fall[-1] == pytest.approx(0.01)
    assert schedule.factor(500) == pytest.approx(0.01)  # later steps stay at the end


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_very_short_cycles_stay_between_the_end_and_the_peak(steps):
    schedule = _schedule(total_steps=steps)
    assert all(1e-3 <= schedule.factor(step) <= 1 for step in range(steps + 2))


@pytest.mark.parametrize("warmup", [0, 1, -0.5])
def test_warm_ups_that_are_no_shares_are_named(warmup):
    with pytest.raises(ScheduleError, match="wanted a share between 0 and 1"):
        _schedule(warmup=warmup)


@pytest.mark.parametrize("length", [math.inf, math.nan])
def test_a_training_without_an_end_is_named(length):
    with pytest.raises(ScheduleError, match=r"without a last epoch or step.*max_epochs"):
        _schedule().set_total_steps(length)


def test_a_resumed_schedule_goes_on_with_the_same_rate():
    whole = _run(_schedule(total_steps=40), 17)
    resumed = _schedule(total_steps=40)
    resumed.load_state_dict(whole.state_dict())
    assert _run(resumed, 5).get_last_lr() == _run(whole, 5).get_last_lr()


def test_a_longer_training_goes_on_with_the_rate_of_the_longer_cycle():
    stored = _run(_schedule(total_steps=40), 17).state_dict()
    longer = _schedule(total_steps=80)
    longer.load_state_dict(stored)
    assert longer.total_steps == 80
    wanted = pytest.approx(0.1 * _schedule(total_steps=80).factor(17))
    assert longer.get_last_lr()[0] == longer.optimizer.param_groups[0]["lr"] == wanted
    untold = _schedule()
    untold.load_state_dict(stored)
    assert untold.total_steps == 40
