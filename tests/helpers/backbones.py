"""Tiny random backbones in the formats that adapters open."""

import json

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

LABELS = ("Rock---Punk", "Jazz---Bop", "Pop---Ballad")
MEAN, STD = 2.06755686098554, 2 * 1.268292820667291  # MAEST's


def _write(file, nodes, inputs, outputs, weights):
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in outputs],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, file)
    return file


def mel_onnx(file, shape=("batch", 128, 96), last="Sigmoid", size=12, seed=0):
    """Write a model of mel patches with the outputs ``activations`` and ``embeddings``.

    Patches are (batch, time, 96) or (batch, 1, time, 96): a dense layer and ReLU at each time,
    their mean, and a dense layer with ``last``. Returns its weights too.
    """
    drawn = np.random.default_rng(seed)
    weights = {
        "below": drawn.normal(size=(96, size)).astype(np.float32),
        "above": drawn.normal(size=(size, len(LABELS))).astype(np.float32),
    }
    rank = len(shape)
    nodes = [
        helper.make_node("MatMul", ["melspectrogram", "below"], ["dense"]),
        helper.make_node("Relu", ["dense"], ["hidden"]),
        helper.make_node(
            "ReduceMean", ["hidden"], ["embeddings"], axes=list(range(1, rank - 1)), keepdims=0
        ),
        helper.make_node("MatMul", ["embeddings", "above"], ["raw"]),
        helper.make_node(last, ["raw"], ["activations"]),
    ]
    outputs = [("activations", [shape[0], len(LABELS)]), ("embeddings", [shape[0], size])]
    _write(file, nodes, [("melspectrogram", shape)], outputs, weights)
    return weights


def wave_onnx(file, length="samples"):
    """Write a model of samples: their absolute values in stretches of 100, eight at a time."""
    nodes = [
        helper.make_node("Abs", ["audio"], ["loud"]),
        helper.make_node("Reshape", ["loud", "shape"], ["stretches"]),
        helper.make_node("ReduceMean", ["stretches"], ["features"], axes=[3], keepdims=0),
    ]
    weights = {"shape": np.array([0, -1, 8, 100], np.int64)}
    outputs = [("features", ["batch", "time", 8])]
    return _write(file, nodes, [("audio", ["batch", length])], outputs, weights)


def essentia_json(file, algorithm="TensorflowPredictEffnetDiscogs", op="Sigmoid", size=12):
    """Write what Essentia publishes beside a model: names of outputs are TensorFlow's."""
    about = {
        "name": "tiny",
        "link": "https://essentia.upf.edu/models/tiny.pb",
        "classes": list(LABELS),
        "schema": {
            "inputs": [
                {
                    "name": "serving_default_melspectrogram",
                    "type": "float",
                    "shape": ["batch_size", 128, 96],
                }
            ],
            "outputs": [
                {
                    "name": "PartitionedCall",
                    "type": "float",
                    "shape": ["batch_size", len(LABELS)],
                    "op": op,
                    "output_purpose": "predictions",
                },
                {
                    "name": "PartitionedCall:1",
                    "type": "float",
                    "shape": ["batch_size", size],
                    "op": "Flatten",
                    "output_purpose": "embeddings",
                },
            ],
        },
        "citation": "@inproceedings{tiny}",
        "inference": {"sample_rate": 16000, "algorithm": algorithm},
    }
    if algorithm == "TensorflowPredictMAEST":
        about["schema"]["inputs"][0]["shape"] = ["batch_size", 1, 20, 96]
    file.write_text(json.dumps(about))
    return file


TINY_ENCODER = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8, 8),
    "conv_stride": (10, 32),
    "conv_kernel": (10, 32),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}


def encoder_folder(folder, kind="Wav2Vec2", head="Model", licence="mit", normalise=True, **config):
    """Write an encoder of transformers as ``save_pretrained`` does, with a model card."""
    import transformers

    settings = getattr(transformers, f"{kind}Config")(**TINY_ENCODER, **config)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = getattr(transformers, f"{kind}{head}")(settings).eval()
    model.save_pretrained(folder)
    features = transformers.Wav2Vec2FeatureExtractor(sampling_rate=16_000, do_normalize=normalise)
    features.save_pretrained(folder)
    (folder / "README.md").write_text(f"---\nlicense: {licence}\ntags: [music]\n---\n# Tiny\n")
    return model, features
