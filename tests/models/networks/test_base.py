"""Common properties of all networks: sizes, settings, devices, features and errors."""

import pytest
import torch
from torch import nn

from genrenet.models.networks import CNN, CRNN, MobileNetV3, MusiCNN, NetworkError
from genrenet.models.registry import registered


@pytest.mark.parametrize(("network", "count"), [(CNN, 865_950), (CRNN, 396_786)])
def test_published_sizes(network, count):
    made = network(50)
    # Batch-norm's running statistics are no parameters here; Keras counts them apart too.
    assert sum(p.numel() for p in made.parameters()) == count
    assert made(torch.randn(2, 96, 1366)).shape == (2, 50)
    assert list(made.stages())[-1] == "head"
    assert made.embed(torch.randn(1, 96, 1366)).shape == (1, made.embedding_size)


@pytest.mark.parametrize("name", ["CNN", "CRNN", "MusiCNN"])
def test_rebuilds_from_its_settings(name):
    kind = registered("register_networks")[name].load()
    network = kind(3).eval()
    again = kind(3, **network.settings).eval()
    again.load_state_dict(network.state_dict())
    x = torch.randn(1, 96, 1366)
    assert torch.equal(network(x), again(x))


@pytest.mark.parametrize("network", [CNN, CRNN])
def test_batch_of_one_equals_a_batch_of_many(network):
    made = network(4).eval()
    x = torch.randn(5, 96, 1366)
    one_by_one = torch.cat([made(row[None]) for row in x])
    assert torch.allclose(made(x), one_by_one, atol=1e-5)


@pytest.mark.parametrize("network", [CNN, CRNN])
def test_runs_on_the_device_of_its_input(network):
    with torch.device("meta"):
        made = network(4)
    assert made(torch.zeros(2, 96, 1366, device="meta")).device.type == "meta"


def test_other_sizes_and_cells():
    small = CNN(3, n_stft_frames=240, channels=(4, 8), pools=((8, 8), (12, 10)))
    assert small(torch.randn(2, 96, 240)).shape == (2, 3)
    torch_cell = CRNN(3, cell="torch")
    assert isinstance(torch_cell.gru, nn.GRU)
    assert torch_cell(torch.randn(2, 96, 1366)).shape == (2, 3)


@pytest.mark.parametrize("kind", [CNN, CRNN, MusiCNN, MobileNetV3])
def test_a_head_on_the_features_gives_the_logits(kind):
    network = kind(3).eval()
    x = torch.randn(2, 96, 1366)
    features = network.forward_features(x)
    assert torch.equal(network.forward_head(features), network(x))
    embedding = network.forward_head(features, pre_logits=True)
    assert torch.equal(embedding, network.embed(x))
    assert torch.equal(network.head(embedding), network(x))
    last = list(network.steps())[-2]
    rest = network.forward_features(network.forward_features(x, until=last), after=last)
    assert torch.equal(rest, features)
    network.reset_classifier(5)
    assert torch.equal(network.forward_head(features, pre_logits=True), embedding)
    assert network(x).shape == (2, network.n_labels) == (2, 5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: CNN(3, channels=(4, 8)), "2 channels and 5 pools"),
        (lambda: CNN(3, n_stft_frames=40), "pooling leaves nothing"),
        (lambda: CRNN(3, n_mels=192), "2 mel bands"),
        (lambda: CRNN(3, cell="lstm"), "lstm"),
        (lambda: CNN(3)(torch.zeros(1, 96, 700)), "1366"),
    ],
)
def test_what_does_not_fit_is_named(make, words):
    with pytest.raises(NetworkError, match=words):
        make()
