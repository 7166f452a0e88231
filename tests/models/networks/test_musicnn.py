"""MusiCNN's layers."""

import torch

from genrenet.models.networks import MusiCNN


def test_layers_of_musicnn_are_what_its_stages_say():
    network = MusiCNN(3, timbral=4, temporal=2, mid=5, units=7).eval()
    x = torch.randn(2, 96, 187)
    layers = network.layers(x)
    sizes = {"front": 14, "mid1": 5, "mid2": 5, "mid3": 5, "max_pool": 29, "mean_pool": 29}
    sizes |= {"embedding": 7, "logits": 3}
    assert {name: values.shape[1] for name, values in layers.items()} == sizes
    assert list(layers) == list(sizes)
    for name in ("front", "mid1", "mid2", "mid3"):
        stage = network.forward_features(x, until=name).mean(dim=2)
        own = stage[:, -sizes[name] :]  # behind the channels of the stages before
        assert torch.allclose(layers[name], own, atol=1e-6)
    hidden = network.forward_features(x, until="mid3")
    assert torch.allclose(layers["max_pool"], hidden.amax(dim=2))
    assert torch.allclose(layers["logits"], network(x))
