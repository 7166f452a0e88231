"""Hardware: the choice of the device, and thread settings per thread."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from genrenet.utils.hardware import best_device, compute_threads, fast_half, step_back


@pytest.mark.parametrize(
    ("cuda", "mps", "wanted"),
    [
        (True, False, "cuda"),
        (True, True, "cuda"),
        (False, True, "mps"),
        (False, False, "cpu"),
    ],
)
def test_the_best_device_there_is(cuda, mps, wanted, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert best_device() == wanted


def test_apples_graphics_compute_in_single_precision():
    assert fast_half("mps") is None


def in_a_thread(function, *arguments):
    found = []
    thread = threading.Thread(target=lambda: found.append(function(*arguments)))
    thread.start()
    thread.join()
    return found[0]


def test_threads_of_one_thread_are_no_others():
    own, new = torch.get_num_threads(), in_a_thread(torch.get_num_threads)

    def other():
        compute_threads(3)
        return torch.get_num_threads(), in_a_thread(torch.get_num_threads)

    assert in_a_thread(other) == (3, new)
    assert (torch.get_num_threads(), in_a_thread(torch.get_num_threads)) == (own, new)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows it of a thread")
def test_a_thread_steps_back_alone():
    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def stepped(to: int) -> int:
        step_back(to)
        return nice()

    before = nice()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(stepped, before + 1).result() == before + 1
        assert pool.submit(stepped, before).result() == before + 1
    assert nice() == before
