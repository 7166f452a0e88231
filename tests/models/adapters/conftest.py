"""A separate cache for each test, and noise."""

import pytest
import torch


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GENRENET_TRUST", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def noise():
    """Five frames of 2.032 s at 16 kHz, each of another level."""
    generator = torch.Generator().manual_seed(0)
    levels = torch.tensor([0.02, 0.1, 0.2, 0.3, 0.5])[:, None]
    return levels * torch.randn(5, 32_512, generator=generator).clamp(-2, 2) / 2
