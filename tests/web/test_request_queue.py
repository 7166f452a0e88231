"""The order of waiting songs."""

import threading

import pytest

from genrenet.web.errors import Ending, TooMany
from genrenet.web.request_queue import Turns


def test_first_come_first_served():
    turns = Turns(1, 3)
    first, second, third = turns.join(), turns.join(), turns.join()
    assert (first.begun, second.begun, third.begun) == (True, False, False)
    assert (first.ahead, second.ahead, third.ahead) == (0, 1, 2)
    assert not second.wait(0.01)
    with first:
        pass
    assert second.wait(0.01)
    assert not third.begun
    with third:  # who leaves the queue early blocks nobody
        pass
    with second:
        pass
    assert (turns.running, turns.waiting) == (0, 0)


def test_a_full_queue_refuses():
    turns = Turns(2, 1)
    held = [turns.join() for _ in range(3)]
    with pytest.raises(TooMany, match="2 at work and 1 waiting"):
        turns.join()
    with held[0]:
        pass
    assert held[2].begun
    turns.join()


def test_no_more_than_allowed_at_once_whatever_happens():
    turns, busy, most, done = Turns(3, 100), 0, 0, 0
    lock = threading.Lock()

    def work(number: int) -> None:
        nonlocal busy, most, done
        with turns.join() as turn:
            assert turn.wait(30)
            with lock:
                busy += 1
                most = max(most, busy)
            threading.Event().wait(0.002)
            with lock:
                busy -= 1
                done += 1

    threads = [threading.Thread(target=work, args=(n,)) for n in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == 60
    assert most <= 3
    assert turns.running == 0


def test_a_closed_queue_sends_all_away_who_wait_or_come():
    turns = Turns(1, 5)
    with turns.join() as busy:
        waiting = turns.join()
        turns.close()
        with pytest.raises(Ending, match="being stopped"), waiting:
            waiting.wait(60)
        with pytest.raises(Ending):
            turns.join()
        assert busy.begun
    assert (turns.running, turns.waiting) == (0, 0)
