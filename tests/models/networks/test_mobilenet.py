"""MobileNetV3: the published sizes, inputs of any length, and its stages."""

import pytest
import torch
from torch import nn

from genrenet.models.description import build_frontend, frontend_part
from genrenet.models.kaldi import KaldiMel
from genrenet.models.model import GenreModel
from genrenet.models.networks import MobileNetV3, NetworkError
from genrenet.models.networks.mobilenet import rounded


@pytest.mark.parametrize(
    ("width", "millions"),
    [(0.4, 0.983), (0.5, 1.43), (1.0, 4.88), (2.0, 17.91), (3.0, 39.09), (4.0, 68.43)],
)
def test_sizes_are_those_that_the_authors_give(width, millions):
    with torch.device("meta"):
        network = MobileNetV3(527, width=width)
    count = sum(p.numel() for p in network.parameters()) / 1e6
    assert count == pytest.approx(millions, abs=0.006)


def test_channels_are_multiples_of_eight():
    assert [rounded(n) for n in (1.6, 6.4, 9.6, 44.8, 73.6, 268.8, 512)] == [
        8,
        8,
        16,
        48,
        72,
        272,
        512,
    ]


@pytest.mark.parametrize("columns", [1, 33, 301, 1000])
def test_any_length_and_layers(columns):
    network = MobileNetV3(5, width=0.1).eval()
    x = torch.randn(2, 128, columns)
    layers = network.layers(x)
    names = ["stem", *(f"block{i}" for i in range(1, 16)), "top", "embedding", "logits"]
    assert list(layers) == names
    top = network.forward_features(x, until="top")
    torch.testing.assert_close(layers["top"], top.mean(dim=(2, 3)))
    torch.testing.assert_close(layers["embedding"], network.embed(x))
    assert layers["embedding"].shape == (2, network.embedding_size) == (2, 128)
    torch.testing.assert_close(layers["logits"], network(x))
    one_by_one = torch.cat([network(row[None]) for row in x])
    torch.testing.assert_close(one_by_one, layers["logits"], atol=1e-5, rtol=1e-5)


def test_stages_are_steps_and_a_head():
    network = MobileNetV3(3, width=0.1).eval()
    assert [*network.steps(), "head"] == list(network.stages())
    x = torch.randn(1, 128, 90)
    for name in network.steps():
        again = network.forward_features(network.forward_features(x, until=name), after=name)
        torch.testing.assert_close(network.forward_head(again, pre_logits=True), network.embed(x))
    held = {id(p) for stage in network.stages().values() for p in stage.parameters()}
    assert held == {id(p) for p in network.parameters()}


def test_it_learns_everywhere():
    network = MobileNetV3(3, width=0.1)
    network(torch.randn(4, 128, 130)).square().sum().backward()
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(m.eps, m.momentum) for m in norms} == {(1e-3, 0.01)}
    assert all(p.grad is not None for p in network.parameters())


def test_a_model_of_it_hears_as_the_published_ones():
    model = GenreModel(["low", "high"], network=lambda n: MobileNetV3(n, width=0.1)).eval()
    assert isinstance(model.frontend, KaldiMel)
    assert (model.frames.seconds, model.frames.sample_rate) == (10.0, 32_000)
    again = build_frontend(frontend_part(model.frontend), "x")
    assert isinstance(again, KaldiMel)
    assert again.settings == model.frontend.settings
    with torch.device("meta"):
        network = MobileNetV3(4, width=0.1)
    assert network(torch.zeros(2, 128, 60, device="meta")).device.type == "meta"


@pytest.mark.parametrize("width", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_widths_are_named(width):
    with pytest.raises(NetworkError, match="width"):
        MobileNetV3(3, width=width)
