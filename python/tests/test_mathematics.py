"""imresize, rgb2ycbcr, PSNR, SSIM and degrade against their definitions."""

import math

import numpy as np
import pytest
from conftest import picture

import srcnn_gpu
from srcnn_gpu import degrade, imresize, psnr, rgb2ycbcr, ssim


def cubic(x):
    x = np.abs(x)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def matrix(before, after, scale):
    """Rows of weights, from the definition: mirrored edges, a kernel that is widened where the axis shrinks."""
    shrink = min(scale, 1)
    centers = (np.arange(after) + 0.5) / scale - 0.5
    at = np.arange(-before, 2 * before)
    weights = cubic(shrink * (centers[:, None] - at))
    weights /= weights.sum(1, keepdims=True)
    folded = np.zeros((after, before))
    for column, place in enumerate(at):
        mirrored = place % (2 * before)
        folded[:, min(mirrored, 2 * before - 1 - mirrored)] += weights[:, column]
    return folded


@pytest.mark.parametrize("scale", [2, 3, 1.5, 1 / 3, 0.7])
def test_imresize(scale):
    plane = picture(19, 26, None, np.float32).astype(np.float64)
    rows, columns = math.ceil(19 * scale), math.ceil(26 * scale)
    expected = matrix(19, rows, scale) @ plane @ matrix(26, columns, scale).T
    result = imresize(plane, scale)
    assert result.dtype == np.float64 and np.abs(result - expected).max() < 1e-13
    single = imresize(plane.astype(np.float32), scale)
    assert single.dtype == np.float32 and np.abs(single - expected).max() < 1e-6
    stack = np.stack([plane, 1 - plane, plane**2, plane / 2, plane], 2)
    assert np.array_equal(imresize(stack, scale)[..., 0], result)


def test_imresize_rounds_integers_after_each_axis():
    for kind in (np.uint8, np.uint16):
        plane, white = picture(19, 26, None, kind), np.iinfo(kind).max
        for size in [(38, 52), (38, 13), (9, 39)]:
            expected = plane.astype(np.float64)
            # The axis that shrinks more comes first.
            for axis in sorted((0, 1), key=lambda axis, size=size: size[axis] / plane.shape[axis]):
                before, after = plane.shape[axis], size[axis]
                weights = matrix(before, after, after / before)
                expected = weights @ expected if axis == 0 else expected @ weights.T
                expected = np.clip(np.floor(expected + 0.5), 0, white)
            result = imresize(plane, size=size)
            assert result.dtype == kind and result.shape == size
            # A value halfway between two steps is a matter of the last bit.
            assert (result != expected).mean() < 1e-3


def test_imresize_refuses():
    plane = picture(8, 8)
    for arguments in [{}, {"scale": 2, "size": (4, 4)}, {"scale": 0}, {"scale": math.nan}, {"size": (0, 4)}]:
        with pytest.raises(ValueError):
            imresize(plane, **arguments)
    for arguments in [{"scale": 1e5}, {"size": (1 << 29, 1 << 29)}]:
        with pytest.raises(MemoryError):
            imresize(plane, **arguments)
    with pytest.raises(TypeError):
        imresize(plane.astype(np.int64), 2)


def test_rgb2ycbcr():
    known = {(0, 0, 0): (16, 128, 128), (255, 255, 255): (235, 128, 128), (255, 0, 0): (81, 90, 240)}
    for rgb, ycbcr in known.items():
        color = np.array([[rgb]], np.uint8)
        assert rgb2ycbcr(color).tolist() == [[list(ycbcr)]]
        floats = 255 * rgb2ycbcr(color / 255)
        assert np.abs(floats - ycbcr).max() < 0.5
        assert np.abs(rgb2ycbcr(color.astype(np.uint16) * 257) / 257 - floats).max() < 0.01
        single = rgb2ycbcr((color / 255).astype(np.float32))
        assert single.dtype == np.float32 and np.abs(255 * single - floats).max() < 1e-4
    with pytest.raises(ValueError, match="HxWx3"):
        rgb2ycbcr(picture(4, 4))


def test_psnr_and_ssim():
    truth = picture(36, 42, 3)
    other = picture(36, 42, 3, seed=1)
    squares = (truth.astype(float) - other) ** 2
    assert psnr(truth, other, protocol="rgb") == pytest.approx(10 * math.log10(255**2 / squares.mean()))
    y = [rgb2ycbcr(one)[3:-3, 3:-3, 0].astype(float) for one in (truth, other)]
    expected = 10 * math.log10(255**2 / ((y[0] - y[1]) ** 2).mean())
    assert psnr(truth, other, scale=3) == pytest.approx(expected)
    assert psnr(truth, other, shave=3) == pytest.approx(expected)
    inner = (slice(10, -10), slice(10, -10))
    cropped = psnr(truth[:36, :40][inner], other[:36, :40][inner], protocol="rgb")
    assert psnr(truth, other, protocol="ntire", scale=4) == pytest.approx(cropped)
    assert psnr(truth, truth) == math.inf and ssim(truth, truth) == pytest.approx(1)
    assert 0 < ssim(truth, other) < 1 and math.isnan(ssim(truth[:10], other[:10]))
    # Other types are compared with 8 bits.
    wide, floats = truth.astype(np.uint16) * 257, truth.astype(np.float32) / 255
    assert psnr(wide, other) == psnr(floats, other) == psnr(floats.astype(float), other) == psnr(truth, other)
    grey = picture(20, 20, None, np.float32)
    assert psnr(grey, np.round(255 * grey).astype(np.uint8)) == math.inf
    for mistake in [
        lambda: psnr(truth, other[1:]),
        lambda: psnr(truth, other, protocol="y"),
        lambda: psnr(truth, other, protocol="ntire"),
        lambda: psnr(truth, other, shave=20),
    ]:
        with pytest.raises(ValueError):
            mistake()


def test_degrade():
    array = picture(31, 44, 3)
    expected = np.floor(imresize(array[:30, :42].astype(np.float64), 1 / 3) + 0.5)
    low = degrade(array, 3)
    assert low.shape == (10, 14, 3) and (low != np.clip(expected, 0, 255)).mean() < 1e-3
    assert np.array_equal(degrade(array, 3, "subsample"), array[1:30:3, 1:42:3])
    # Between whole scales, pictures are cut to multiples of the numerator: 5 for 2.5.
    low = degrade(array, 2.5)
    expected = np.floor(imresize(array[:30, :40].astype(np.float64), size=(12, 16)) + 0.5)
    assert low.shape == (12, 16, 3) and (low != np.clip(expected, 0, 255)).mean() < 1e-3
    noisy = [degrade(array, 1, "noise:5", seed=seed) for seed in (1, 1, 2)]
    assert np.array_equal(noisy[0], noisy[1]) and not np.array_equal(noisy[0], noisy[2])
    for channels in (None, 1, 2, 4):
        floats = picture(12, 15, channels, np.float32)
        low = degrade(floats, 3, "bicubic,noise:2,jpeg:80")
        assert low.dtype == np.float32 and low.shape == (4, 5) + floats.shape[2:]
    # Grey floats are degraded as the same picture in integers is.
    grey = picture(30, 30)
    whole = degrade(grey, 3, "bicubic,noise:4")
    assert np.abs(255 * degrade(grey.astype(np.float32) / 255, 3, "bicubic,noise:4") - whole).max() < 0.51
    for arguments in [(array, 0), (array, 17), (array, 2.7183), (array, 2.5, "subsample"), (array, 3, "jpeg:30"), (array, 3, "what"), (array[:2], 3)]:
        with pytest.raises(srcnn_gpu.Error):
            degrade(*arguments)
    assert degrade(array, 2, "bicubic,webp:50").shape == (15, 22, 3)
