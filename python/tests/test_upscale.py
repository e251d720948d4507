"""Arrays in and out: types, shapes, strides, and what is refused."""

import threading
import weakref

import numpy as np
import pytest
from conftest import picture

import srcnn_gpu

KINDS = [np.uint8, np.uint16, np.float32]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_type_and_axes_stay(upscaler, kind, channels):
    small = picture(11, 14, channels, kind)
    before = small.copy()
    large = upscaler.upscale(small, 3)
    assert large.dtype == kind and large.shape == (33, 42) + small.shape[2:]
    assert large.flags.c_contiguous and large.flags.writeable
    assert np.array_equal(small, before)
    # It is the picture, larger, and not something else.
    white = 1 if kind == np.float32 else np.iinfo(kind).max
    difference = large[1::3, 1::3].astype(float) - small.astype(float)
    assert np.abs(difference).mean() < 0.05 * white


@pytest.mark.parametrize("kind", KINDS)
def test_strides_do_not_matter(upscaler, kind):
    whole = picture(26, 40, 4, kind)
    for view in [
        whole[::-1, ::-2],
        whole[3:19, 5:30, :3],
        whole[..., ::-1][..., 1:],
        np.asfortranarray(whole),
        whole[..., 1],
        whole.transpose(1, 0, 2),
        np.moveaxis(np.ascontiguousarray(np.moveaxis(whole, 2, 0)), 0, 2),
        np.broadcast_to(whole[:, :1], whole.shape),
    ]:
        expected = upscaler.upscale(np.ascontiguousarray(view), 2)
        assert np.array_equal(upscaler.upscale(view, 2), expected)


def test_byte_order_and_alignment(upscaler):
    native = picture(9, 12, 3, np.uint16)
    expected = upscaler.upscale(native, 2)
    swapped = native.astype(native.dtype.newbyteorder())
    assert np.array_equal(upscaler.upscale(swapped, 2), expected)
    raw = np.zeros(native.nbytes + 1, np.uint8)
    odd = raw[1:].view(np.uint16).reshape(native.shape)
    odd[...] = native
    assert not odd.flags.aligned
    assert np.array_equal(upscaler.upscale(odd, 2), expected)
    native.flags.writeable = False
    assert np.array_equal(upscaler.upscale(native, 2), expected)


def test_types_agree(upscaler):
    small = picture(12, 15, 3)
    large = upscaler.upscale(small, 3)
    wide = upscaler.upscale(small.astype(np.uint16) * 257, 3)
    floats = upscaler.upscale(small.astype(np.float32) / 255, 3)
    # Equal but where the last bit of a float decides on how it is rounded.
    off = np.abs(np.round(255 * np.clip(floats, 0, 1)) - large)
    assert off.max() <= 1 and (off > 0).mean() < 1e-3
    assert np.abs(wide / 257.0 - 255 * np.clip(floats, 0, 1)).max() < 0.01
    grey = picture(12, 15, None, np.float32)
    assert np.allclose(upscaler.upscale(grey, 2), upscaler.upscale(grey[..., None], 2)[..., 0])


def test_sizes(upscaler):
    small = picture(10, 13, 3)
    assert upscaler.upscale(small, 1.51).shape == (16, 20, 3)
    assert upscaler.upscale(small, size=(31, 27)).shape == (31, 27, 3)
    assert upscaler.upscale(small, np.float32(2)).shape == (20, 26, 3)
    assert upscaler.upscale(small, 6).shape == (60, 78, 3)
    assert np.array_equal(upscaler.upscale(small, 2), upscaler.upscale(small, size=(20, 26)))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 20, 30), np.uint8), "moveaxis"),
        (np.zeros((20, 30, 5), np.uint8), "5 channels"),
        (np.zeros((0, 30, 3), np.uint8), "no samples"),
        (np.zeros((20, 0), np.uint8), "no samples"),
        (np.zeros(20, np.uint8), "HxW"),
        (np.zeros((), np.uint8), "HxW"),
        (np.zeros((2, 8, 8, 3), np.uint8), "upscale_batch"),
        (np.full((8, 8), np.nan, np.float32), "not numbers"),
        (np.full((8, 8, 3), 200, np.float32), "divide them by 255"),
    ],
)
def test_shapes_and_values_that_are_refused(upscaler, array, words):
    with pytest.raises(ValueError, match=words) as raised:
        upscaler.upscale(array, 2)
    assert isinstance(raised.value, srcnn_gpu.Error)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((8, 8), bool), "astype.numpy.uint8. . 255"),
        (np.zeros((8, 8), np.int64), "astype.numpy.uint8"),
        (np.zeros((8, 8)), "astype.numpy.float32"),
        (np.zeros((8, 8), np.float16), "astype.numpy.float32"),
        (np.zeros((8, 8), complex), "uint16"),
        ("text", "uint8"),
        ([[1, 2], [3, 4]], "int64"),
        (None, "uint8"),
    ],
)
def test_types_that_are_refused(upscaler, array, words):
    with pytest.raises((TypeError, ValueError), match=words):
        upscaler.upscale(array, 2)


def test_arguments_that_are_refused(upscaler):
    small = picture(8, 8)
    for arguments in [
        {"scale": 0.5},
        {"scale": float("nan")},
        {"scale": float("inf")},
        {"scale": -2},
        {"scale": 1},
        {"scale": 1e12},
        {},
        {"scale": 2, "size": (16, 16)},
        {"size": (4, 16)},
        {"size": (-1, 16)},
        {"scale": 2, "alpha": "none"},
    ]:
        with pytest.raises(srcnn_gpu.InvalidArgumentError):
            upscaler.upscale(small, **arguments)
    with pytest.raises(MemoryError):
        upscaler.upscale(small, 1e6)
    with pytest.raises(srcnn_gpu.ModelError, match="small, large, photo, deblock"):
        srcnn_gpu.Upscaler("smal")
    with pytest.raises(srcnn_gpu.NoAdapterError, match="no adapter matches"):
        srcnn_gpu.Upscaler(gpu="no such adapter")
    with pytest.raises(srcnn_gpu.InvalidArgumentError):
        srcnn_gpu.Upscaler(backend="opengl")


def test_batches_and_frames(upscaler):
    for channels, kind in [(3, np.uint8), (None, np.uint16), (1, np.float32)]:
        frames = np.stack([picture(9, 12, channels, kind, seed) for seed in range(4)])
        expected = [upscaler.upscale(frame, 2) for frame in frames]
        assert np.array_equal(upscaler.upscale_batch(frames, 2), np.stack(expected))
        assert np.array_equal(upscaler.upscale_batch(frames[::-2], 2), np.stack(expected[::-2]))
        results = upscaler.upscale_frames(iter(frames), 2)
        assert iter(results) is results
        assert all(np.array_equal(a, b) for a, b in zip(results, expected, strict=True))
    for wrong in [np.zeros((8, 8), np.uint8), np.zeros((0, 8, 8), np.uint8)]:
        with pytest.raises(ValueError, match="batch"):
            upscaler.upscale_batch(wrong, 2)

    def broken():
        yield picture(9, 12, 3)
        raise LookupError("no more")

    results = upscaler.upscale_frames(broken(), 2)
    next(results)
    with pytest.raises(LookupError):
        next(results)


def test_progress(upscaler):
    told = []
    network = srcnn_gpu.Upscaler(tile=16)
    network.upscale(picture(20, 20, 3), 2, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (9, 9) and [done for done, _ in told] == list(range(1, 10))
    told.clear()
    batch = np.stack([picture(10, 10, 3)] * 3)
    network.upscale_batch(batch, 2, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (12, 12) and [done for done, _ in told] == list(range(1, 13))

    def fails(done, total):
        raise LookupError(done)

    with pytest.raises(LookupError, match="1"):
        network.upscale(picture(20, 20, 3), 2, progress=fails)

    def again(done, total):
        network.upscale(picture(5, 5), 2)

    with pytest.raises(RuntimeError, match="it is computing"):
        network.upscale(picture(20, 20, 3), 2, progress=again)
    # It works on as if nothing had been.
    assert np.array_equal(network.upscale(batch[0], 2), upscaler.upscale(batch[0], 2))


def test_tiles_models_and_options(upscaler):
    small = picture(30, 26, 3)
    expected = upscaler.upscale(small, 3)
    assert np.array_equal(srcnn_gpu.Upscaler(tile=32, verify=True).upscale(small, 3), expected)
    weights = srcnn_gpu.Weights.shipped("small", 3)
    assert np.array_equal(srcnn_gpu.Upscaler(weights).upscale(small, 3), expected)
    several = [srcnn_gpu.Weights.shipped("small", scale) for scale in (2, 3, 4)]
    assert np.array_equal(srcnn_gpu.Upscaler(several).upscale(small, 6), upscaler.upscale(small, 6))
    assert not np.array_equal(srcnn_gpu.Upscaler(tta=True).upscale(small, 3), expected)
    restored = srcnn_gpu.Upscaler("deblock").upscale(small, 1)
    assert restored.shape == small.shape and not np.array_equal(restored, small)
    valid = srcnn_gpu.Upscaler(padding="valid").upscale(small, 3)
    assert valid.shape == (90 - 12, 78 - 12, 3)
    assert "small x3" in repr(upscaler) and len(upscaler.models) == 3
    assert upscaler.adapter["type"] in ("discrete", "integrated", "virtual", "other", "software")
    assert any(device["name"] == upscaler.adapter["name"] for device in srcnn_gpu.devices())
    assert upscaler.timing["wall"] >= upscaler.timing["preparation"] >= 0
    assert weakref.ref(upscaler)() is upscaler


def test_threads_take_turns(upscaler):
    pictures = [picture(15, 12, 3, np.uint8, seed) for seed in range(6)]
    expected = [upscaler.upscale(one, 2) for one in pictures]
    results = [None] * len(pictures)

    def work(index):
        results[index] = upscaler.upscale(pictures[index], 2)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(pictures))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(a, b) for a, b in zip(results, expected, strict=True))


def test_tensors(upscaler):
    torch = pytest.importorskip("torch")
    small = picture(9, 12, 3)
    expected = upscaler.upscale(small, 2)
    tensor = torch.from_numpy(small.copy())
    assert np.array_equal(upscaler.upscale(tensor, 2), expected)
    planes_first = tensor.permute(2, 0, 1).contiguous()
    assert np.array_equal(upscaler.upscale(planes_first.permute(1, 2, 0), 2), expected)
    with pytest.raises(TypeError, match="detach"):
        upscaler.upscale(torch.zeros((8, 8), requires_grad=True), 2)


class ByDLPack:
    """An array that only DLPack shows."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **arguments):
        return self._array.__dlpack__(**arguments)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


class ByArray:
    """An array that only numpy's own protocol shows."""

    def __init__(self, array):
        self._array = array

    def __array__(self, dtype=None, copy=None):
        return self._array


def test_protocols(upscaler):
    small = picture(9, 12, 3)
    expected = upscaler.upscale(small, 2)
    for protocol in (ByDLPack, ByArray):
        assert np.array_equal(upscaler.upscale(protocol(small), 2), expected)
