"""Scans by several processes."""

import os

import pytest

from genrenet.library.changes import ScanError
from genrenet.library.processes import Team


class Others(Team):
    """Another process that has what is given."""

    def __init__(self, theirs):
        self.theirs = theirs

    def gather(self, value):
        return [value, self.theirs]


class Elsewhere(Team):
    """Another process with the same device and torch, which has chosen another model."""

    def gather(self, value):
        return [value, f"other@0, {value.partition(', ')[2]}"]


def test_processes_with_different_models_are_refused(scanned, tmp_path):
    with pytest.raises(ScanError, match=r"would give different scores: found .*other@0"):
        scanned(team=Elsewhere())
    assert os.listdir(tmp_path) == ["library"]


def test_processes_that_would_not_score_alike_are_refused(scanned, tmp_path):
    with pytest.raises(
        ScanError, match=r"would give different scores: found .*cuda, 16, torch 1\.0"
    ):
        scanned(team=Others("cuda, 16, torch 1.0"))
    assert os.listdir(tmp_path) == ["library"]
