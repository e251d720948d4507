"""Fixtures. An adapter is needed, software ones will do; where there is none, tests that need it say so and skip."""

import os
import shutil

import numpy as np
import pytest

import srcnn_gpu


@pytest.fixture(scope="session")
def upscaler():
    try:
        return srcnn_gpu.Upscaler()
    except srcnn_gpu.NoAdapterError as error:
        pytest.skip(f"no adapter: {error}")


@pytest.fixture(scope="session")
def program():
    """The built program, which SRCNN_PROGRAM names."""
    path = os.environ.get("SRCNN_PROGRAM")
    if path is None or shutil.which(path) is None:
        pytest.skip("SRCNN_PROGRAM does not name the program srcnn-gpu")
    return path


def picture(height, width, channels=None, kind=np.uint8, seed=0):
    """Smooth waves and an edge, with some noise: nothing is symmetric."""
    random = np.random.default_rng(seed)
    count = channels or 1
    y, x, c = np.mgrid[0:height, 0:width, 0:count]
    values = 0.5 + 0.3 * np.sin(x / 3.1 + y / 5.3 + 2 * c) + 0.2 * (x > y) - 0.1
    values = np.clip(values + random.normal(0, 0.03, values.shape), 0, 1)
    if channels is None:
        values = values[..., 0]
    if kind == np.float32:
        return values.astype(kind)
    return np.round(values * np.iinfo(kind).max).astype(kind)
