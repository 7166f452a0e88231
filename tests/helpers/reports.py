"""Predictions of genres with awkward names, and the content of a page."""

from html.parser import HTMLParser

import numpy as np


class Page(HTMLParser):
    """Checks that elements are closed in order, and gathers text and what points outside."""

    void = frozenset({"meta", "br", "img"})

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.outside, self.text = [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.outside += [value for name, value in attrs if name in ("src", "href")]
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def guesses(n=200, labels=5, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.ones(labels), n)
    target = np.where(rng.random(n) < 0.6, scores.argmax(axis=1), rng.integers(0, labels, n))
    return target, scores


GENRES = {"R&B <b>": 150.0, "$oul": 900.0, "Veränderung": 4000.0}
