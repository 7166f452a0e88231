"""Uncounted frames are dropped from batches, and samples become float32."""

import pytest
import torch

from genrenet.data.batches import counted_only, to_float


def test_dropping_keeps_what_counts():
    batch = {
        "label": torch.arange(4),
        "counted": torch.tensor([True, False, True, False]),
        "waveform": torch.randn(4, 3),
    }
    kept = counted_only(batch)
    assert kept["label"].tolist() == [0, 2]
    assert torch.equal(kept["waveform"], batch["waveform"][[0, 2]])
    assert "idle" not in kept
    none = counted_only({**batch, "counted": torch.zeros(4, dtype=torch.bool)})
    assert none["label"].tolist() == [0]
    assert "idle" in none
    everything = {**batch, "counted": torch.ones(4, dtype=torch.bool)}
    assert counted_only(everything) is everything


def test_the_entry_idle_is_not_added_to_the_batch_given():
    batch = {"label": torch.arange(2), "counted": torch.zeros(2, dtype=torch.bool)}
    assert counted_only(batch)["idle"].shape == (1,)
    assert set(batch) == {"label", "counted"}


@pytest.mark.parametrize(
    ("dtype", "scale"), [(torch.int16, 2.0**-15), (torch.float16, 1.0), (torch.float32, 0.5)]
)
def test_samples_become_float32_with_the_scale_of_their_own_row(dtype, scale):
    raw = torch.tensor([[1, -1, 0], [1, 0, -1]], dtype=dtype)
    found = to_float(raw, torch.tensor([scale, 2 * scale]))
    assert found.dtype == torch.float32
    wanted = torch.tensor([[scale, -scale, 0], [2 * scale, 0, -2 * scale]])
    assert torch.equal(found, wanted)


def test_the_whole_range_of_int16_stays_in_one():
    limits = torch.tensor([[-(2**15), 2**15 - 1]], dtype=torch.int16)
    found = to_float(limits, torch.tensor([2.0**-15]))
    assert found.min() == -1.0
    assert found.max() < 1.0
