"""Training runs: results, callbacks, interruption, continuation."""

import os
import signal
import subprocess
import sys

import numpy as np
import png
import pytest
from conftest import picture

import srcnn_gpu

TINY = {"arch": "5-1-3", "filters": "8-4", "batch": 8, "save_every": 20, "eval_every": 20}


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(2):
        png.write(folder / f"{seed}.png", picture(72, 84, 3, np.uint8, seed))
    return folder


def test_a_run(upscaler, pictures, tmp_path):
    events = []
    weights = srcnn_gpu.train(
        pictures, 3, tmp_path / "run", val=pictures, steps=40, callback=events.append, **TINY
    )
    assert (weights.sizes, weights.filters, weights.scales) == ("5-1-3", "8-4", [3])
    assert weights == srcnn_gpu.Weights.load(tmp_path / "run" / "best.safetensors")
    kinds = [event["event"] for event in events]
    assert kinds[0] == "start" and kinds[-1] == "end" and {"progress", "step", "eval", "saved"} <= set(kinds)
    assert events[-1]["step"] == 40 and not events[-1]["interrupted"]
    assert srcnn_gpu.Upscaler(weights).upscale(picture(9, 9, 3), 3).shape == (27, 27, 3)
    assert srcnn_gpu.Upscaler(tmp_path / "run").models[0].endswith("5-1-3 8-4")
    # The same run, and one that is cut in two, give the same bits.
    again = srcnn_gpu.train([pictures], [3], tmp_path / "again", val=[pictures], steps=40, **TINY)
    assert all(np.array_equal(a, b) for a, b in zip(again.to_dict().values(), weights.to_dict().values()))
    srcnn_gpu.train(pictures, 3, tmp_path / "cut", steps=20, **TINY)
    whole = srcnn_gpu.train(resume=tmp_path / "cut", steps=40)
    assert "40 steps" in whole.training


def test_what_a_callback_raises_ends_the_run(upscaler, pictures, tmp_path):
    def stop(event):
        if event["event"] == "progress":
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        srcnn_gpu.train(pictures, 3, tmp_path / "run", callback=stop, steps=100_000, **TINY)
    assert (tmp_path / "run" / "last.ckpt").is_file()


INTERRUPTED = """
import sys, srcnn_gpu
def tell(event):
    if event["event"] == "progress":
        print("training", flush=True)
try:
    srcnn_gpu.train(sys.argv[1], 3, sys.argv[2], callback=tell, steps=10_000_000, arch="5-1-3", filters="8-4", batch=8)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_saves(upscaler, pictures, tmp_path):
    words = [sys.executable, "-c", INTERRUPTED, pictures, tmp_path / "run"]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "training\n"
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=60)[0].splitlines()[-1] == "stopped"
    assert child.returncode == 0 and (tmp_path / "run" / "best.safetensors").is_file()


def test_mistakes(pictures, tmp_path):
    for arguments in [
        {"data": pictures, "scale": 3},
        {"data": pictures, "output": tmp_path / "a"},
        {"data": pictures, "scale": 17, "output": tmp_path / "a"},
        {"data": pictures, "scale": 3, "output": tmp_path / "a", "steps": 1, "time": "1s"},
        {"data": pictures, "scale": 3, "output": tmp_path / "a", "recipe": "slow"},
        {"data": tmp_path / "none", "scale": 3, "output": tmp_path / "a", "steps": 1},
        {"data": pictures, "resume": tmp_path / "a"},
        {"resume": tmp_path / "none"},
    ]:
        with pytest.raises(srcnn_gpu.Error):
            srcnn_gpu.train(**arguments)
    assert not (tmp_path / "a").exists()
