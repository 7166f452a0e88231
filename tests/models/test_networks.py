"""Networks: the published sizes, equivalence of the pooling order, the recurrent cell."""

import pytest
import torch
from torch import nn

from genrenet.models.networks import CNN, CRNN, Keras1GRU, MobileNetV3, MusiCNN, NetworkError
from genrenet.models.networks.gru import StepwiseGRU, is_stepwise
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


def test_pooling_first_changes_nothing():
    network = CNN(4).eval()
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.normal_(norm.weight)  # even negative scales: only the activation moves
            nn.init.normal_(norm.running_mean)
    x = torch.randn(2, 96, 1366)
    y = network.input_norm(x).unsqueeze(1)
    for convolution, norm, pool, activation, _ in network.convolutions:
        y = pool(nn.functional.elu(norm(convolution(y))))
        assert isinstance(activation, nn.ELU)
    assert torch.allclose(network(x), network.head(y.flatten(1)), atol=1e-5)


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


def _keras1_step(x, state, inputs, states, bias):
    """One step as Keras 1.2's GRU writes it, gate by gate."""
    wz, wr, wh = inputs.chunk(3, dim=1)
    uz, ur, uh = states.chunk(3, dim=1)
    bz, br, bh = bias.chunk(3)

    def hard(v):
        return (0.2 * v + 0.5).clip(0, 1)

    z = hard(x @ wz + bz + state @ uz)
    r = hard(x @ wr + br + state @ ur)
    candidate = torch.tanh(x @ wh + bh + (r * state) @ uh)
    return z * state + (1 - z) * candidate


def test_recurrent_cell_step_by_step_and_its_gradients():
    torch.manual_seed(0)
    gru = Keras1GRU(6, 5, num_layers=2).double()
    for bias in gru.biases:
        nn.init.normal_(bias)
    x = torch.randn(3, 7, 6, dtype=torch.double)
    wanted = x
    for layer in range(2):
        weights = gru.input_weights[layer], gru.state_weights[layer], gru.biases[layer]
        state, steps = torch.zeros(3, 5, dtype=torch.double), []
        for t in range(7):
            state = _keras1_step(wanted[:, t], state, *weights)
            steps.append(state)
        wanted = torch.stack(steps, dim=1)
    assert torch.allclose(gru(x), wanted, atol=1e-12)
    gru(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in gru.parameters())


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


def test_torchs_gru_step_by_step():
    gru = torch.nn.GRU(6, 5, 2, batch_first=True)
    x = torch.randn(3, 7, 6, generator=torch.Generator().manual_seed(0))
    assert is_stepwise(gru)
    assert not is_stepwise(torch.nn.GRU(6, 5, batch_first=True, bidirectional=True))
    for found, wanted in zip(StepwiseGRU(gru)(x), gru(x), strict=True):
        torch.testing.assert_close(found, wanted)
