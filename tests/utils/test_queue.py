"""Channels: in order, bounded, and closing wakes all waiting threads."""

import itertools
import threading
import time

from genrenet.utils.queue import Channel


def test_a_channel_gives_what_was_put_in_order():
    channel = Channel()
    assert all(channel.put(i) for i in range(5))
    assert [channel.get() for _ in range(5)] == list(range(5))
    assert channel.get(timeout=0.0) is None
    assert channel.get(timeout=0.01) is None
    assert channel.put(6)
    assert channel.get(timeout=0.0) == 6


def test_a_closed_channel_takes_and_gives_nothing():
    channel = Channel(1)
    assert channel.put(1)
    channel.close()
    assert channel.get() is None
    assert not channel.put(2)  # though it is full
    assert channel.get(timeout=10) is None
    channel.close()


def test_closing_wakes_whoever_waits():
    full, empty, said = Channel(1), Channel(), []
    full.put(1)
    waiting = [
        threading.Thread(target=lambda: said.append(full.put(2))),
        threading.Thread(target=lambda: said.append(empty.get())),
        threading.Thread(target=lambda: said.append(empty.get(timeout=60))),
    ]
    for thread in waiting:
        thread.start()
    full.close()
    empty.close()
    for thread in waiting:
        thread.join(30)
    assert sorted(map(str, said)) == ["False", "None", "None"]


def test_a_full_channel_lets_in_one_for_each_that_leaves():
    channel, inside = Channel(3), []

    def put():
        for i in range(200):
            channel.put(i)
            inside.append(i)

    thread = threading.Thread(target=put)
    thread.start()
    for i in range(200):
        assert channel.get() == i
        assert len(inside) <= i + 1 + 3
    thread.join()


def test_nothing_is_lost_or_doubled_among_many_threads():
    channel, found = Channel(2), [[] for _ in range(4)]
    put = [
        threading.Thread(target=lambda k=k: [channel.put(i) for i in range(k, 2000, 4)])
        for k in range(4)
    ]

    def take(mine):
        while (item := channel.get()) is not None:
            mine.append(item)

    get = [threading.Thread(target=take, args=(mine,)) for mine in found]
    for thread in put + get:
        thread.start()
    for thread in put:
        thread.join()
    while sum(map(len, found)) < 2000:
        time.sleep(0.001)
    channel.close()
    for thread in get:
        thread.join()
    assert sorted(itertools.chain(*found)) == list(range(2000))
