#!/usr/bin/env python3
"""Adds what a network learned, since it began with another, to a relative of the other: a task vector (Ilharco et al., *Editing
models with task arithmetic*, ICLR 2023).

    python3 weights/transplant.py 9-5-5_x3.safetensors runs/deep_x3/best.safetensors 9-5-5_x4.safetensors -o deep_x4.safetensors

BEFORE and RELATIVE have one architecture; AFTER may have more layers, which began as the identity before the last, as
`srcnn-gpu train --init` adds them. The result has AFTER's architecture, and is for RELATIVE's scale: a beginning for `train
--init`. Needs numpy and safetensors.
"""

import argparse

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file


def load(path):
    with safe_open(path, "np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


def deepened(tensors, like):
    """The network with as many layers as `like`: those before the last that it lacks pass their inputs on."""
    last, count = len(tensors) // 2, len(like) // 2
    result = {}
    for layer in range(1, count + 1):
        weight, bias = f"conv{layer}.weight", f"conv{layer}.bias"
        own = layer if layer < last else last if layer == count else None
        if own:
            result[weight], result[bias] = tensors[f"conv{own}.weight"], tensors[f"conv{own}.bias"]
        else:
            filters, inputs, height, width = like[weight].shape
            result[weight] = np.zeros_like(like[weight])
            result[weight][range(filters), range(inputs), height // 2, width // 2] = 1
            result[bias] = np.zeros_like(like[bias])
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("relative")
    parser.add_argument("-o", "--output", required=True)
    arguments = parser.parse_args()
    after, shape = load(arguments.after)
    (before, _), (relative, metadata) = load(arguments.before), load(arguments.relative)
    before, relative = deepened(before, after), deepened(relative, after)
    result = {name: relative[name] + (after[name] - before[name]) for name in after}
    metadata = {**metadata, "architecture": shape["architecture"], "filters": shape["filters"]}
    save_file(result, arguments.output, metadata=metadata)
