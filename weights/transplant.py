#!/usr/bin/env python3
"""Adds what a network learned, since it began with another, to a relative of the other: a task vector (Ilharco et al., *Editing
models with task arithmetic*, ICLR 2023).

    python3 weights/transplant.py large_x3/best.safetensors deep_x3/best.safetensors large_x4/best.safetensors -o begin_x4.safetensors

BEFORE and RELATIVE have one architecture; AFTER may have more layers before the last, as `srcnn-gpu train --init` adds them: these
are taken as they are. The result has AFTER's architecture, and is for RELATIVE's scale: a beginning for `train --init`. Needs
numpy and safetensors.
"""

import argparse

from safetensors import safe_open
from safetensors.numpy import save_file


def load(path):
    with safe_open(path, "np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("relative")
    parser.add_argument("-o", "--output", required=True)
    arguments = parser.parse_args()
    result, shape = load(arguments.after)
    (before, _), (relative, metadata) = load(arguments.before), load(arguments.relative)
    last, count = len(before) // 2, len(result) // 2
    for layer in range(1, last + 1):
        for kind in ("weight", "bias"):
            own, there = f"conv{layer}.{kind}", f"conv{count if layer == last else layer}.{kind}"
            result[there] = relative[own] + (result[there] - before[own])
    metadata = {**metadata, "architecture": shape["architecture"], "filters": shape["filters"]}
    save_file(result, arguments.output, metadata=metadata)
