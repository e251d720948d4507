#!/usr/bin/env python3
"""Times other engines on the networks of weights/9-?-5_x3.safetensors, beside this crate on the same machine.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install -r benches/peers/requirements.txt
    /tmp/peers/bin/python benches/peers/peers.py [PATTERN] [--arch 9-1-5] [--size 1920x1080] [--threads 2]

One line a measurement: engine, task, milliseconds (the median of several), GFLOP/s or sub-images a second. Inference is
one plane of luminance in float32 from memory to memory, with zeros around it in each layer; training is a step of 128
sub-images of 33 x 33 with the mean squared error and SGD with momentum. Each engine's result is compared with that of
the plain network in float64 before it is timed. PATTERN is a regular expression: `ncnn|train`.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ["conv1", "conv2", "conv3"]
BATCH = 128
SUB_IMAGE = 33


def weights(arch):
    """Arrays `conv1.weight`, `conv1.bias` and so on of the safetensors file."""
    data = (ROOT / "weights" / f"{arch}_x3.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    values = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        array = np.frombuffer(data[8 + length + begin : 8 + length + end], np.float32)
        values[name] = array.reshape(entry["shape"]).copy()
    return values


def picture(width, height):
    """Values in 0..1, neither smooth nor noise alone."""
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(1).random((height, width)) - 0.5
    return (0.5 + 0.3 * np.sin(0.11 * x) * np.cos(0.07 * y) + 0.2 * noise).astype(np.float32)


def module(values, padded):
    """The network in PyTorch."""
    import torch.nn as nn

    parts = []
    for name in LAYERS:
        weight, bias = values[f"{name}.weight"], values[f"{name}.bias"]
        size = weight.shape[-1]
        conv = nn.Conv2d(weight.shape[1], weight.shape[0], size, padding=size // 2 if padded else 0)
        conv.weight.data[:] = nn.Parameter(as_tensor(weight))
        conv.bias.data[:] = as_tensor(bias)
        parts += [conv, nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def as_tensor(array):
    import torch

    return torch.from_numpy(array)


class Timer:
    """Checks results against `expected`, times calls, prints lines."""

    def __init__(self, values, size, expected):
        taps = sum(values[f"{name}.weight"].size for name in LAYERS)
        self.operations = 2 * taps * size[0] * size[1]
        self.expected = expected

    def infer(self, engine, run):
        difference = np.abs(np.asarray(run()).reshape(self.expected.shape) - self.expected).max()
        if not difference < 1e-4:
            print(f"{engine:28} infer  WRONG by {difference:.1e}", flush=True)
            return
        seconds = self.median(run)
        rate = self.operations / seconds * 1e-9
        print(f"{engine:28} infer  {seconds * 1e3:9.1f} ms  {rate:8.1f} GFLOP/s", flush=True)

    def train(self, engine, step):
        first, last = [step() for _ in range(10)][:: 9]
        if not last < first:
            print(f"{engine:28} train  WRONG: the loss went from {first} to {last}", flush=True)
            return
        seconds = self.median(step)
        print(f"{engine:28} train  {seconds * 1e3:9.1f} ms  {BATCH / seconds:8.1f} sub-images/s", flush=True)

    @staticmethod
    def median(run):
        run()
        times = []
        while len(times) < 5 or (len(times) < 25 and sum(times) < 5):
            begun = time.perf_counter()
            run()
            times.append(time.perf_counter() - begun)
        return statistics.median(times)


def pytorch(timer, values, plane, threads, compiled, training):
    import torch

    torch.set_num_threads(threads)
    layout = torch.channels_last if compiled else torch.contiguous_format
    name = f"PyTorch {torch.__version__.split('+')[0]} {'compiled' if compiled else 'eager'}"
    network = module(values, padded=not training).to(memory_format=layout)
    if not training:
        run = torch.compile(network) if compiled else network
        tensor = as_tensor(plane)[None, None].contiguous(memory_format=layout)
        with torch.inference_mode():
            timer.infer(name, lambda: run(tensor).numpy())
        return
    random = torch.Generator().manual_seed(1)
    inputs = torch.rand(BATCH, 1, SUB_IMAGE, SUB_IMAGE, generator=random).contiguous(memory_format=layout)
    side = SUB_IMAGE - sum(values[f"{name}.weight"].shape[-1] - 1 for name in LAYERS)
    targets = torch.rand(BATCH, 1, side, side, generator=random)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def loss():
        return ((network(inputs) - targets) ** 2).mean()

    loss = torch.compile(loss) if compiled else loss

    def step():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        return value.item()

    timer.train(name, step)


def onnxruntime(timer, values, plane, threads):
    import onnx
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper

    nodes, before = [], "input"
    for name in LAYERS:
        size = values[f"{name}.weight"].shape[-1]
        after = "output" if name == "conv3" else f"{name}.sum"
        inputs = [before, f"{name}.weight", f"{name}.bias"]
        nodes.append(helper.make_node("Conv", inputs, [after], pads=[size // 2] * 4))
        if name != "conv3":
            before = f"{name}.relu"
            nodes.append(helper.make_node("Relu", [after], [before]))
    shape = [1, 1, *plane.shape]
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in ("input", "output")]
    tensors = [numpy_helper.from_array(array, name) for name, array in values.items()]
    graph = helper.make_graph(nodes, "srcnn", value[:1], value[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {"input": plane[None, None]}
    timer.infer(f"onnxruntime {ort.__version__} CPU", lambda: session.run(None, feed)[0])


def ncnn(timer, values, plane, threads, vulkan):
    import tempfile

    import ncnn

    lines = ["7767517", "4 4", "Input in 0 1 in"]
    before = "in"
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/net.bin", "wb") as file:
            for i, name in enumerate(LAYERS):
                weight, after = values[f"{name}.weight"], ["a", "b", "out"][i]
                size = weight.shape[-1]
                pads = " ".join(f"{key}={size // 2}" for key in (4, 14, 15, 16))
                lines.append(
                    f"Convolution {name} 1 1 {before} {after} 0={weight.shape[0]} 1={size} 11={size} {pads} 5=1 "
                    f"6={weight.size} 9={0 if name == 'conv3' else 1}"
                )
                before = after
                # A zero before the weights says that they are float32.
                file.write(bytes(4) + weight.tobytes() + values[f"{name}.bias"].tobytes())
        Path(f"{folder}/net.param").write_text("\n".join(lines) + "\n")
        net = ncnn.Net()
        net.opt.num_threads = threads
        net.opt.use_vulkan_compute = vulkan
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.load_param(f"{folder}/net.param")
        net.load_model(f"{folder}/net.bin")

    # A Mat does not keep what it is made of.
    planes = plane[None].copy()

    def run():
        extractor = net.create_extractor()
        extractor.input("in", ncnn.Mat(planes))
        return np.array(extractor.extract("out")[1])

    timer.infer(f"ncnn {ncnn.__version__} {'Vulkan' if vulkan else 'CPU'}", run)


def own(arch, size):
    """This crate's own figures: `srcnn-gpu bench` and the bench of training."""
    command = "cargo run --release --quiet -- bench --json --wall".split()
    command += ["--arch", arch, "--size", f"{size[0]}x{size[1]}"]
    report = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    network, ceiling = report["network"], report["ceiling_gflops"]
    print(
        f"{'srcnn-gpu ' + report['adapter']:28} infer  {network['ms']:9.1f} ms  {network['gflops']:8.1f} GFLOP/s, "
        f"the adapter's multiply-adds alone {ceiling:.1f}",
        flush=True,
    )
    command = ["cargo", "bench", "--bench", "train_step", "--", f"{arch}@{BATCH}"]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    print(f"{'srcnn-gpu':28} train  {lines[-1]}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pattern", nargs="?", default=".")
    parser.add_argument("--arch", default="9-1-5", choices=["9-1-5", "9-5-5"])
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    size = tuple(int(side) for side in arguments.size.split("x"))
    tasks = {
        "onnxruntime infer": lambda t, v, p: onnxruntime(t, v, p, arguments.threads),
        "torch compiled infer": lambda t, v, p: pytorch(t, v, p, arguments.threads, True, False),
        "torch eager infer": lambda t, v, p: pytorch(t, v, p, arguments.threads, False, False),
        "ncnn CPU infer": lambda t, v, p: ncnn(t, v, p, arguments.threads, False),
        "ncnn Vulkan infer": lambda t, v, p: ncnn(t, v, p, arguments.threads, True),
        "torch eager train": lambda t, v, p: pytorch(t, v, p, arguments.threads, False, True),
        "torch compiled train": lambda t, v, p: pytorch(t, v, p, arguments.threads, True, True),
    }
    if arguments.one is None:
        # Each engine in a process of its own: their threads would get into each other's way.
        for name in tasks:
            if re.search(arguments.pattern, name):
                subprocess.run([sys.executable, __file__, "--one", name, "--arch", arguments.arch, "--size",
                                arguments.size, "--threads", str(arguments.threads)], check=False)
        if re.search(arguments.pattern, "srcnn-gpu"):
            own(arguments.arch, size)
        return
    import torch

    values, plane = weights(arguments.arch), picture(*size)
    with torch.inference_mode():
        expected = module(values, padded=True).double()(as_tensor(plane).double()[None, None]).numpy()[0, 0]
    tasks[arguments.one](Timer(values, size, expected), values, plane)
    sys.stdout.flush()
    # Some engines' drivers do not like to be torn down.
    os._exit(0)


if __name__ == "__main__":
    main()
