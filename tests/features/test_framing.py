"""Samples, frames and blocks: exact types, shapes, and invalid input."""

import pytest
import torch

from genrenet.features.base import FeatureError
from genrenet.features.framing import CPU_BLOCK, blocks, checked, exact_type, frames_of, precise


def test_precise_functions_have_no_gradients_and_no_autocast():
    @precise
    def product(samples, factor, *, power=1):
        """Multiply."""
        return (samples @ samples.T * factor) ** power

    samples = torch.randn(2, 8, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (samples @ samples.T).dtype == torch.bfloat16
        found = product(samples, 2.0, power=2)
    assert found.dtype == torch.float32
    assert not found.requires_grad
    torch.testing.assert_close(found, (2 * samples @ samples.T).detach() ** 2)
    assert (product.__name__, product.__doc__) == ("product", "Multiply.")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (torch.float64, torch.float64),
        (torch.float32, torch.float32),
        (torch.float16, torch.float32),
        (torch.int16, torch.float32),
    ],
)
def test_samples_are_in_single_precision_or_better(given, wanted):
    found = checked(torch.ones(2, 3, dtype=given))
    assert found.dtype == wanted
    assert torch.equal(found, torch.ones(2, 3, dtype=wanted))
    assert exact_type(found) == torch.float64


@pytest.mark.parametrize("shape", [(5,), (1, 2, 5), (2, 0)])
def test_what_are_no_samples_is_named(shape):
    with pytest.raises(FeatureError, match=r"wanted \(batch, samples\) with one sample"):
        checked(torch.zeros(shape))


def test_frames_are_a_view_and_the_rest_is_dropped():
    samples = torch.arange(11.0)[None]
    found = frames_of(samples, 4, 3)
    assert found.tolist() == [[[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]]
    assert found.data_ptr() == samples.data_ptr()
    assert frames_of(samples, 11, 3).shape == (1, 1, 11)


def test_a_short_song_is_one_frame_filled_with_zeros():
    assert frames_of(torch.ones(2, 3), 5, 2).tolist() == [[[1, 1, 1, 0, 0]]] * 2


@pytest.mark.parametrize(("length", "hop"), [(0, 1), (1, 0), (-4, 2)])
def test_frames_of_nothing_are_named(length, hop):
    with pytest.raises(
        FeatureError, match=f"impossible frames: found {length} samples every {hop}"
    ):
        frames_of(torch.zeros(1, 9), length, hop)


@pytest.mark.parametrize("shape", [(1, 1, 8), (2, 10_000, 64), (1, 3, 2 * CPU_BLOCK), (1, 0, 8)])
def test_blocks_cover_all_frames_once_within_their_budget(shape):
    frames = torch.zeros(1).expand(shape)
    found = list(blocks(frames))
    places = [place for block in found for place in range(block.start, block.stop)]
    assert places == list(range(shape[1]))
    for block in found:
        size = block.stop - block.start
        assert size == 1 or size * shape[0] * shape[2] <= CPU_BLOCK
