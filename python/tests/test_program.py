"""Results equal those of the program, bit for bit."""

import subprocess

import numpy as np
import png
import pytest
from conftest import picture

import srcnn_gpu


def run(program, *words):
    subprocess.run([program, *map(str, words)], check=True, capture_output=True)


def with_alpha(kind, channels):
    """Colors under transparent pixels, soft edges and opaque parts."""
    array = picture(21, 27, channels, kind)
    white = np.iinfo(kind).max
    x = np.arange(27)
    array[..., -1] = np.clip((x - 7) / 9, 0, 1) * white
    return array


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [None, 2, 3, 4])
@pytest.mark.parametrize("scale", [2, 3, 2.5, 6])
def test_upscale(upscaler, program, tmp_path, kind, channels, scale):
    array = picture(21, 27, channels, kind) if channels in (None, 3) else with_alpha(kind, channels)
    png.write(tmp_path / "in.png", array)
    run(program, "upscale", tmp_path / "in.png", "-o", tmp_path / "out.png", "-s", scale)
    expected = png.read(tmp_path / "out.png")
    result = upscaler.upscale(array, scale)
    assert result.dtype == expected.dtype and np.array_equal(result, expected)


@pytest.mark.parametrize(
    ("flags", "arguments", "call"),
    [
        (["-m", "large"], {"model": "large"}, {}),
        (["-m", "photo", "--padding", "zero"], {"model": "photo", "padding": "zero"}, {}),
        (["-x"], {"tta": True}, {}),
        (["--alpha", "bicubic"], {}, {"alpha": "bicubic"}),
        (["--alpha", "net", "-t", "32"], {"tile": 32}, {"alpha": "net"}),
    ],
)
def test_options(upscaler, program, tmp_path, flags, arguments, call):
    array = with_alpha(np.uint8, 4)
    png.write(tmp_path / "in.png", array)
    run(program, "upscale", tmp_path / "in.png", "-o", tmp_path / "out.png", "-s", 3, *flags)
    result = srcnn_gpu.Upscaler(**arguments).upscale(array, 3, **call)
    assert np.array_equal(result, png.read(tmp_path / "out.png"))


def test_restoration(upscaler, program, tmp_path):
    array = picture(21, 27, 3)
    png.write(tmp_path / "in.png", array)
    run(program, "upscale", tmp_path / "in.png", "-o", tmp_path / "out.png", "-s", 1)
    result = srcnn_gpu.Upscaler("deblock").upscale(array, 1)
    assert np.array_equal(result, png.read(tmp_path / "out.png"))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [None, 3, 4])
@pytest.mark.parametrize("chain", ["bicubic", "blur:0..2,subsample", "bicubic,noise:5,jpeg:30..90"])
def test_degrade(program, tmp_path, kind, channels, chain):
    array = picture(31, 44, channels, kind)
    png.write(tmp_path / "in.png", array)
    run(program, "degrade", tmp_path / "in.png", tmp_path / "out.png", "-s", 3, "--degradation", chain)
    assert np.array_equal(srcnn_gpu.degrade(array, 3, chain), png.read(tmp_path / "out.png"))


def test_weights(program, tmp_path):
    path = tmp_path / "small.safetensors"
    srcnn_gpu.Weights.shipped("small", 2).save(path)
    told = subprocess.run([program, "model", "info", path], check=True, capture_output=True, text=True)
    assert "9-1-5" in told.stdout and "8129" in told.stdout
