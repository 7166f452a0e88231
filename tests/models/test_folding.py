"""Folded networks against the networks they were made from."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from genrenet.models import folding
from genrenet.models.filter_products import FoldedFilters
from genrenet.models.folding import FoldedGRU, FoldedStage, HalfPrecision, channels_last, fold
from genrenet.models.networks import CNN, CRNN, Keras1GRU, MobileNetV3, MusiCNN
from genrenet.models.networks.base import ConvStage
from genrenet.models.networks.musicnn import Filters

SMALL_CNN = {"n_stft_frames": 71, "channels": (8, 16), "pools": ((8, 7), (12, 10))}
SMALL_CRNN = {"n_stft_frames": 80, "padding": 3, "channels": (6, 10), "pools": ((12, 5), (8, 2))}
NETWORKS = {
    "cnn": lambda: CNN(4),
    "small cnn": lambda: CNN(3, **SMALL_CNN),
    "odd cnn": lambda: CNN(
        5, n_mels=40, n_stft_frames=103, channels=(3, 1, 7), pools=((1, 3), (3, 1), (5, 4))
    ),
    "cnn with dropout": lambda: CNN(3, **SMALL_CNN, conv_dropout=0.3),
    "crnn": lambda: CRNN(4),
    "small crnn": lambda: CRNN(3, **SMALL_CRNN, hidden_size=5, num_layers=3),
    "crnn of torch": lambda: CRNN(4, cell="torch"),
    "small crnn of torch": lambda: CRNN(3, **SMALL_CRNN, cell="torch", num_layers=1),
    "mobilenet": lambda: MobileNetV3(3, width=0.4),
    "small mobilenet": lambda: MobileNetV3(3, n_mels=96, width=0.1),
    "musicnn": lambda: MusiCNN(4),
    "small musicnn": lambda: MusiCNN(
        3, n_mels=41, n_stft_frames=62, timbral=4, temporal=2, mid=5, units=7
    ),
}


def shaken(network):
    """A network as training might leave it: no weight and no statistic is at its default."""
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.normal_(module.weight, std=0.7)  # negative ones too
            nn.init.normal_(module.bias, std=0.5)
            nn.init.normal_(module.running_mean, std=0.5)
            nn.init.uniform_(module.running_var, 0.3, 2.0)
        elif isinstance(module, Keras1GRU):
            for bias in module.biases:
                nn.init.normal_(bias)
    return network.eval()


def made(name):
    torch.manual_seed(0)
    network = shaken(NETWORKS[name]())
    shape = network.settings["n_mels"], network.settings.get("n_stft_frames", 119)
    return network, lambda n: torch.randn(n, *shape)


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield


@pytest.mark.parametrize("name", list(NETWORKS))
def test_folding_changes_no_output_of_any_layer(name):
    network, inputs = made(name)
    folded, x = fold(network), inputs(3)
    wanted, found = network.layers(x), folded.layers(x)
    assert wanted["logits"].std() > 0.01
    assert list(found) == list(wanted)
    for layer, values in wanted.items():
        torch.testing.assert_close(found[layer], values, atol=1e-5, rtol=1e-5)
    for batch in (x[:1], x):  # a frame alone is computed in fewer pieces
        n = len(batch)
        torch.testing.assert_close(folded(batch), wanted["logits"][:n], atol=1e-5, rtol=1e-5)
    embedding = folded.embed(x[2:])
    torch.testing.assert_close(embedding, wanted["embedding"][2:], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "name", ["small cnn", "small crnn", "small crnn of torch", "small mobilenet"]
)
@pytest.mark.parametrize("training", [True, False])
def test_the_network_itself_stays_as_it_was(name, training):
    network, inputs = made(name)
    network.train(training)
    before, kinds = copy.deepcopy(network.state_dict()), [type(m) for m in network.modules()]
    folded = fold(network)
    folded(inputs(2))
    half = HalfPrecision(network, torch.bfloat16)
    half(inputs(2))
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert [type(m) for m in network.modules()] == kinds
    assert all(p.requires_grad for p in network.parameters())
    assert all(m.training == training for m in network.modules())
    ready = [*folded.modules(), *half.rough.modules(), *half.exact.modules()]
    assert not any(module.training for module in ready)
    assert not any(p.requires_grad for p in [*folded.parameters(), *half.parameters()])


def test_a_changed_network_does_not_change_the_folded_one():
    network, inputs = made("small crnn")
    folded, x = fold(network), inputs(1)
    before = folded(x)
    for tensor in [*network.parameters(), *network.buffers()]:
        tensor.zero_()
    assert torch.equal(folded(x), before)


def test_no_batch_norm_is_left_between_convolutions():
    for name in ("cnn", "crnn"):
        folded = fold(made(name)[0])
        kinds = [type(module) for module in folded.modules()]
        assert not {ConvStage, nn.BatchNorm2d, nn.Conv2d, Keras1GRU} & set(kinds)
        assert kinds.count(FoldedStage) == len(folded.settings["channels"])


def test_no_batch_norm_is_left_in_a_mobilenet():
    network, _ = made("mobilenet")
    folded = fold(network)
    kinds, left = ([type(m) for m in n.modules()] for n in (network, folded))
    assert nn.BatchNorm2d not in left
    assert kinds.count(nn.Conv2d) == left.count(nn.Conv2d) == 46
    assert all(m.bias is not None for m in folded.modules() if isinstance(m, nn.Conv2d))


def test_folding_again_changes_nothing():
    network, inputs = made("small crnn")
    folded, x = fold(network), inputs(2)
    assert torch.equal(fold(folded)(x), folded(x))
    assert torch.equal(copy.deepcopy(folded)(x), folded(x))


class OwnFilters(Filters):
    """What a user may have derived from a module of this package."""


def musicnn_of_own_filters():
    torch.manual_seed(0)
    network = shaken(MusiCNN(3, timbral=4, temporal=2, mid=5, units=7))
    for filters in network.front.filters:
        filters.__class__ = OwnFilters
    return network


def test_modules_of_derived_classes_are_only_copied():
    network, x = musicnn_of_own_filters(), torch.randn(2, 96, 187)
    folded = fold(network)
    assert folded is not network
    assert {type(filters) for filters in folded.front.filters} == {OwnFilters}
    assert torch.equal(folded(x), network(x))


# --- the stage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [1, 1 << 11, 1 << 30])
@pytest.mark.parametrize("pool", [(1, 1), (2, 3), (1, 7)])
def test_time_in_pieces_is_the_whole(piece, pool, monkeypatch):
    monkeypatch.setattr(folding, "PIECE", piece)
    torch.manual_seed(0)
    stage = shaken(ConvStage(1, 5, pool, 0.0))
    folded = FoldedStage(stage, torch.float32)
    for width in (*range(pool[1], 3 * pool[1] + 2), 64):
        for batch in (1, 3):
            x = torch.randn(batch, 1, 6, width)
            torch.testing.assert_close(folded(x), stage(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("width", "batch"), [(40, 1), (1366, 1), (1440, 3), (3001, 2)])
def test_large_inputs_go_in_pieces_and_small_ones_whole(width, batch):
    torch.manual_seed(0)
    stage = shaken(ConvStage(1, 48, (2, 4), 0.0))
    folded, x = FoldedStage(stage, torch.float32), torch.randn(batch, 1, 96, width)
    convolved, convolve = [], F.conv2d

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            found = function(*args, **(kwargs or {}))
            if function is convolve:
                convolved.append(found.nbytes)
            return found

    with Watch():
        found = folded(x)
    torch.testing.assert_close(found, stage(x), atol=1e-5, rtol=1e-5)
    assert (len(convolved) > 1) == (sum(convolved) > 2 * folding.PIECE)
    assert max(convolved) < 2 * folding.PIECE


def test_deeper_stages_and_any_layout_of_the_input():
    torch.manual_seed(0)
    stage = shaken(ConvStage(3, 5, (2, 2), 0.2))
    folded, x = FoldedStage(stage, torch.float32), torch.randn(4, 3, 9, 11)
    wanted = stage(x)
    for given in (x, x.to(memory_format=torch.channels_last), x.mT.contiguous().mT):
        torch.testing.assert_close(folded(given), wanted, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(folded(x[1:3]), wanted[1:3], atol=1e-5, rtol=1e-5)


def test_the_input_is_not_written_to():
    torch.manual_seed(0)
    for n_in, pool in ((1, (1, 1)), (3, (1, 1)), (1, (2, 2))):
        stage = FoldedStage(shaken(ConvStage(n_in, 3, pool, 0.0)), torch.float32)
        x = torch.randn(2, n_in, 4, 6)
        before = x.clone()
        stage(x)
        assert torch.equal(x, before)


@pytest.mark.parametrize("shape", [(2, 1, 3, 4), (2, 5, 3, 4), (1, 1, 1, 1), (3, 2, 1, 5)])
def test_channels_last_has_its_strides_and_the_same_values(shape):
    x = torch.randn(4, *shape[1:])[: shape[0]]
    _, c, h, w = shape
    for given in (x, x[-1:], x.mT.contiguous().mT, x.to(memory_format=torch.channels_last)):
        found = channels_last(given)
        assert found.stride() == (c * h * w, 1, w * c, c)
        assert torch.equal(found, given)


@pytest.mark.parametrize("layers", [1, 2])
def test_recurrent_layers_with_constants_in_their_weights(layers):
    torch.manual_seed(0)
    gru = Keras1GRU(7, 6, layers)
    for bias in gru.biases:
        nn.init.normal_(bias, std=3.0)  # some gates are at their limits
    x = torch.randn(3, 9, 7) * 2
    torch.testing.assert_close(FoldedGRU(gru)(x), gru(x), atol=1e-5, rtol=1e-5)


# --- devices --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in NETWORKS if not name.startswith("small")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_no_tensor_is_made_on_another_device(name, dtype):
    with torch.device("meta"):
        network = NETWORKS[name]().eval()
    folded = fold(network, dtype)
    assert {t.device.type for t in [*folded.parameters(), *folded.buffers()]} == {"meta"}
    shape = (2, network.settings["n_mels"], network.settings.get("n_stft_frames", 119))
    logits = folded(torch.empty(shape, device="meta"))
    assert logits.device.type == "meta"
    assert logits.shape == (2, network.n_labels)
    assert logits.dtype == torch.float32


# --- half precision -------------------------------------------------------------------------------


def half_and_exact(name, n=24):
    """A network in half precision, frames unlike each other, and float32's logits of them."""
    network, inputs = made(name)
    x = inputs(n)
    x = x + 2 * x.mean(dim=1, keepdim=True) * x.shape[1] ** 0.5 + 3 * torch.randn(n, x.shape[1], 1)
    network.head.weight.mul_(3)
    network.head.bias.sub_(network(x).mean(dim=0))  # so that every label is the largest at times
    return HalfPrecision(network, torch.bfloat16), x, network(x)


def gaps(logits):
    largest = logits.topk(2).values
    return largest[:, 0] - largest[:, 1]


@pytest.mark.parametrize("name", ["small cnn", "odd cnn", "small crnn", "small crnn of torch"])
def test_half_precision_gives_the_same_answers(name):
    half, x, logits = half_and_exact(name, 200)
    found = half(x)
    assert found.dtype == torch.float32
    clear = gaps(logits) > 1e-3
    assert clear.sum() > 150
    assert torch.equal(found.argmax(1)[clear], logits.argmax(1)[clear])
    torch.testing.assert_close(found, logits, atol=0.1, rtol=0)


@pytest.mark.parametrize("name", ["cnn", "crnn"])
def test_half_precision_of_the_published_sizes(name):
    half, x, logits = half_and_exact(name, 3)
    found = half(x)
    clear = gaps(logits) > 1e-3
    assert torch.equal(found.argmax(1)[clear], logits.argmax(1)[clear])
    torch.testing.assert_close(found, logits, atol=0.1, rtol=0)


@pytest.mark.parametrize("name", ["small cnn", "small crnn"])
def test_close_frames_are_those_of_single_precision(name, monkeypatch):
    half, x, _ = half_and_exact(name)
    rough = half.rough(x).float()
    monkeypatch.setattr(folding, "CLOSE", float(gaps(rough).median()) + 1e-6)
    close = gaps(rough) < folding.CLOSE
    assert 0 < close.sum() < len(x)
    found = half(x)
    assert torch.equal(found[close], half.exact(x[close]))
    assert torch.equal(found[~close], rough[~close])
    assert not torch.equal(rough[close], found[close])


@pytest.mark.parametrize(("limit", "which"), [(0.0, "rough"), (1e9, "exact")])
def test_none_or_all_may_be_close(limit, which, monkeypatch):
    half, x, _ = half_and_exact("small cnn")
    monkeypatch.setattr(folding, "CLOSE", limit)
    assert torch.equal(half(x), getattr(half, which)(x))


def test_a_mistake_of_half_precision_is_put_right():
    """Two labels whose logits differ by less than half precision can tell."""
    network, inputs = made("small cnn")
    head, x = network.head, inputs(200)
    head.weight[1] = head.weight[0] + 1e-3 * torch.randn_like(head.weight[0])
    head.bias[:2] += 10
    difference = network(x)[:, 1] - network(x)[:, 0]
    head.bias[1] -= difference.median()
    half, wanted = HalfPrecision(network, torch.bfloat16), network(x).argmax(1)
    assert not torch.equal(half.rough(x).argmax(1), wanted)
    assert (half(x).argmax(1) == wanted).float().mean() > 0.99  # but for rounding


def test_what_half_precision_cannot_hold_is_computed_in_single_precision():
    network, inputs = made("small cnn")
    half, x = HalfPrecision(network, torch.float16), inputs(4)
    for stage in half.rough.convolutions:
        stage.bias.fill_(float("inf"))  # beyond 65504
    assert torch.equal(half(x), half.exact(x))


def test_one_label_is_never_close():
    torch.manual_seed(0)
    network = shaken(CNN(1, **SMALL_CNN))
    x = torch.randn(3, 96, 71)
    half = HalfPrecision(network, torch.bfloat16)
    assert torch.equal(half(x), half.rough(x))


@pytest.mark.parametrize("name", ["small cnn", "small crnn"])
def test_features_are_those_of_single_precision(name):
    network, inputs = made(name)
    half, x = HalfPrecision(network, torch.bfloat16), inputs(2)
    torch.testing.assert_close(half.embed(x), network.embed(x), atol=1e-5, rtol=1e-5)
    wanted, found = network.layers(x), half.layers(x)
    assert list(found) == list(wanted)
    for layer, values in wanted.items():
        torch.testing.assert_close(found[layer], values, atol=1e-5, rtol=1e-5)
    assert list(half.stages()) == list(network.stages())
    assert (half.n_labels, half.embedding_size) == (network.n_labels, network.embedding_size)
    assert half.settings == network.settings


def test_half_precision_of_modules_that_are_only_copied_takes_autocast():
    network = musicnn_of_own_filters()
    network.head.weight.mul_(3)
    x = torch.randn(40, 96, 187)
    half = HalfPrecision(network, torch.bfloat16)
    found, logits = half(x), network(x)
    assert found.dtype == torch.float32
    assert not torch.equal(found, logits)
    assert not torch.is_autocast_enabled("cpu")
    clear = gaps(logits) > 1e-3
    assert torch.equal(found.argmax(1)[clear], logits.argmax(1)[clear])
    torch.testing.assert_close(found, logits, atol=0.1, rtol=0)


def test_musicnn_in_half_precision_is_near_itself():
    torch.manual_seed(0)
    network = shaken(MusiCNN(3))
    logmel = torch.rand(3, 96, 187)
    half = HalfPrecision(network, torch.bfloat16)
    assert sum(isinstance(module, FoldedFilters) for module in half.rough.modules()) == 5
    torch.testing.assert_close(half.rough(logmel), network(logmel), atol=0.1, rtol=0.05)
