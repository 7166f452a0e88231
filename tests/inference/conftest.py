"""Songs and plans for the tests of the pipeline."""

import threading

import pytest
import soundfile
import torch

from tests.helpers.pipelines import PLANS
from tests.helpers.tones import RATE, tone


@pytest.fixture(params=PLANS.values(), ids=PLANS)
def how(request):
    return request.param


@pytest.fixture
def nothing_stays():
    """Whatever happened: no thread is left, and the caller has its processor threads again."""
    crew, count = set(threading.enumerate()), torch.get_num_threads()
    yield
    assert set(threading.enumerate()) <= crew
    assert torch.get_num_threads() == count


@pytest.fixture(scope="module")
def tunes(tmp_path_factory):
    """Songs of 1 to 9 half seconds, each with a sound of its own."""
    folder = tmp_path_factory.mktemp("tunes")
    for i in range(9):
        soundfile.write(folder / f"{i}.wav", tone(100 * (i + 2), (i + 1) / 2, seed=i), RATE)
    return [str(folder / f"{i}.wav") for i in range(9)]
