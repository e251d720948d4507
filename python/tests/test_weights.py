"""Weights from and to dictionaries, files and bytes."""

import pickle

import numpy as np
import pytest

import srcnn_gpu
from srcnn_gpu import Weights


def test_dictionaries():
    small = Weights.shipped("small", 3)
    arrays = small.to_dict()
    assert list(arrays) == [f"conv{i}.{part}" for i in (1, 2, 3) for part in ("weight", "bias")]
    assert arrays["conv1.weight"].shape == (64, 1, 9, 9) and arrays["conv1.weight"].dtype == np.float32
    again = Weights.from_dict(arrays, scales=[3], channels="y", padding=small.padding)
    assert again.scales == [3] and again.padding == "replicate"
    for name, array in again.to_dict().items():
        assert np.array_equal(array, arrays[name])
    # Arrays are copies.
    arrays["conv1.bias"][...] = 7
    assert not np.array_equal(small.to_dict()["conv1.bias"], arrays["conv1.bias"])


def test_other_types_and_names():
    arrays = Weights.shipped("small", 3).to_dict()
    double = {name: np.asfortranarray(array.astype(np.float64)) for name, array in arrays.items()}
    plain = Weights.from_dict(arrays)
    assert Weights.from_dict(double) == plain and plain.padding == "zero" and plain.channels == "y"
    others = {"conv1": "features.0", "conv2": "map.0", "conv3": "reconstruction"}
    renamed = {f"{others[name[:5]]}.{name[6:]}": array for name, array in arrays.items()}
    assert Weights.from_dict(renamed) == plain


def test_mistakes():
    arrays = Weights.shipped("small", 3).to_dict()
    with pytest.raises(ValueError, match="conv3"):
        Weights.from_dict({**arrays, "conv3.weight": np.zeros((1, 31, 5, 5), np.float32)})
    with pytest.raises(ValueError, match="finite"):
        Weights.from_dict({**arrays, "conv3.bias": np.full(1, np.nan, np.float32)})
    with pytest.raises(TypeError, match="conv1.bias"):
        Weights.from_dict({**arrays, "conv1.bias": np.zeros(64, int)})
    with pytest.raises(ValueError, match="scale"):
        Weights.from_dict(arrays, scales=[0.5])
    with pytest.raises(ValueError, match="padding"):
        Weights.from_dict(arrays, padding="mirror")
    with pytest.raises(ValueError, match="layer|conv|tensor"):
        Weights.from_dict({})
    with pytest.raises(srcnn_gpu.ModelError, match="no such file"):
        Weights.load("nothing.safetensors")
    with pytest.raises(srcnn_gpu.Error):
        Weights.from_bytes(b"nothing")


def test_files_and_pickles(tmp_path):
    small = Weights.shipped("small", 2)
    small.save(tmp_path / "a.safetensors")
    assert Weights.load(tmp_path / "a.safetensors") == small
    assert pickle.loads(pickle.dumps(small)) == small != Weights.shipped("small", 3)
    assert (small.sizes, small.filters, small.parameters, small.scales) == ("9-1-5", "64-32", 8129, [2])
    assert "jpeg" in Weights.shipped("photo", 2).degradation and small.degradation is None
    assert repr(small) == "<srcnn_gpu.Weights: 9-1-5 64-32 on y for x2>"
    with pytest.raises(srcnn_gpu.OutputError) as raised:
        small.save(tmp_path / "none" / "a.safetensors")
    assert isinstance(raised.value, OSError)


def test_a_network_of_ones_own(upscaler):
    """A network that passes its input on makes bicubic interpolation."""
    arrays = {name: np.zeros_like(array) for name, array in Weights.shipped().to_dict().items()}
    for name, middle in [("conv1.weight", 4), ("conv2.weight", 0), ("conv3.weight", 2)]:
        arrays[name][0, 0, middle, middle] = 1
    identity = srcnn_gpu.Upscaler(Weights.from_dict(arrays))
    plane = np.random.default_rng(1).uniform(0.1, 0.9, (13, 17)).astype(np.float32)
    result = identity.upscale_planes(plane, 2)
    assert result.shape == (26, 34) and result.dtype == np.float32
    assert np.abs(result - np.maximum(srcnn_gpu.imresize(plane, 2), 0)).max() < 1e-5
    assert np.array_equal(identity.upscale_planes(plane[None].astype(np.float64), 2), result[None])
    for wrong in [np.zeros((2, 8, 8), np.float32), np.full((8, 8), np.inf, np.float32)]:
        with pytest.raises(ValueError):
            identity.upscale_planes(wrong, 2)
    with pytest.raises(TypeError):
        identity.upscale_planes(np.zeros((8, 8), np.uint8), 2)
