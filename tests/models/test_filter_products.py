"""Filter banks as matrix products against the convolutions they were made from."""

import pytest
import torch
from torch import nn

from genrenet.models import filter_products
from genrenet.models.filter_products import FoldedFilters, toom_cook
from genrenet.models.networks.musicnn import Filters


@pytest.fixture(autouse=True)
def _without_gradients():
    torch.manual_seed(0)
    with torch.inference_mode():
        yield


def bank(kernel, channels=9):
    """Filters of which some rise and some fall, with statistics that are not the defaults."""
    filters = Filters(channels, kernel).eval()
    nn.init.normal_(filters.norm.weight, std=0.7)
    nn.init.normal_(filters.norm.bias, std=0.5)
    nn.init.normal_(filters.norm.running_mean, std=0.5)
    nn.init.uniform_(filters.norm.running_var, 0.3, 2.0)
    filters.norm.weight[:2] = torch.tensor([-0.5, 0.5])
    return filters


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_transforms_make_a_correlation(n):
    inputs, taps, outputs = toom_cook(n)
    x, w = torch.randn(2 * n - 1, dtype=torch.float64), torch.randn(n, dtype=torch.float64)
    wanted = torch.stack([x[i : i + n] @ w for i in range(n)])
    torch.testing.assert_close(outputs @ ((inputs @ x) * (taps @ w)), wanted)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kernel", [(7, 38), (7, 67), (1, 5), (3, 2), (128, 1), (32, 1), (5, 1)])
def test_products_are_the_convolution(kernel, dtype):
    filters = bank(kernel)
    folded = FoldedFilters(filters, dtype)
    for shape in ((2, 1, 50, 96), (1, 1, 187, 97), (3, 1, 33, 70), (1, 1, 1, 67)):
        x = torch.randn(shape)
        wanted, found = filters(x), folded(x)
        assert found.shape == wanted.shape
        assert found.dtype == torch.float32
        tolerance = 1e-5 if dtype == torch.float32 else 0.05
        torch.testing.assert_close(found, wanted, atol=tolerance, rtol=0)


@pytest.mark.parametrize("kernel", [(7, 38), (64, 1)])
@pytest.mark.parametrize("shift", [-9.0, 9.0])
def test_values_of_one_sign(kernel, shift):
    """The extreme is the right one where all of a filter's values are below zero, or above."""
    filters = bank(kernel)
    filters.conv.bias.fill_(shift)
    x = torch.randn(2, 1, 40, 96)
    for dtype, tolerance in ((torch.float32, 1e-4), (torch.bfloat16, 0.1)):
        found = FoldedFilters(filters, dtype)(x)
        torch.testing.assert_close(found, filters(x), atol=tolerance, rtol=0)


@pytest.mark.parametrize("kernel", [(7, 38), (64, 1)])
@pytest.mark.parametrize("piece", [1, 1 << 15, 1 << 30])
def test_pieces_are_the_whole(kernel, piece, monkeypatch):
    monkeypatch.setattr(filter_products, "PIECE", piece)
    filters, x = bank(kernel), torch.randn(2, 1, 45, 96)
    found = FoldedFilters(filters, torch.float32)(x)
    torch.testing.assert_close(found, filters(x), atol=1e-5, rtol=0)


def test_any_layout_of_the_input_which_is_not_written_to():
    for kernel in ((7, 38), (9, 1)):
        folded, x = FoldedFilters(bank(kernel), torch.float32), torch.randn(2, 1, 96, 50).mT
        before = x.clone()
        torch.testing.assert_close(folded(x), folded(x.contiguous()), atol=1e-6, rtol=0)
        assert torch.equal(x, before)
