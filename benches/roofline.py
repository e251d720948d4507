#!/usr/bin/env python3
"""The roofline of 9-1-5 64-32 on GPUs that are not here: benches/roofline.py [--size 1920x1080]

Computed, not measured. For each kernel the longer of two times: its multiply-adds, at the vector instructions a product that
AMD's compiler needs in the inner loop (tests/compilers/amd.csv, navi21) and the rate that the maker states, and the bytes between it
and the memory, each map read and written once, at the stated bandwidth. Caches, launches and everything outside the inner loops are
left out. Prints a table in Markdown.
"""

import argparse
import csv
import pathlib

AMD = pathlib.Path(__file__).resolve().parent.parent / "tests/compilers/amd.csv"

# Makers' figures: multiply-adds a second in f32 (a pair of operations each) in 1e12, times as many in f16, GB/s.
# RX 7900 XTX: without two instructions at a time, which the compiler does not count on.
GPUS = {
    "Iris Xe, 96 units": (1.1, 2, 68),
    "Apple M2, 10 cores": (1.8, 1, 100),
    "RX 6800": (8.1, 2, 512),
    "RX 7900 XTX": (15.3, 2, 960),
    "RTX 4090": (41.3, 1, 1008),
    "H200": (33.5, 2, 4800),
}

# Products a pixel, by layer.
LAYERS = (81 * 64, 64 * 32, 25 * 32)
MAPS = (1, 64, 32, 1)
# Columns and rows of a workgroup's block, of what it reads, and of what it adds to.
BLOCK, READ, SUMS = (32, 16), (40, 24), (36, 20)


def instructions():
    """Vector instructions a product: {(layer or "fused", half): ratio}."""
    kernels = {
        (0, False): "conv_forward-9x9-inputs1-weights1312-rows1-relu-replicate-uniform-registers8x8",
        (1, False): "conv_forward-1x1-inputs64-weights520-rows1-relu-replicate-uniform-registers8x8",
        (2, False): "conv_forward-5x5-inputs32-weights1281-rows4-uniform-registers16x4",
        (0, True): "conv_forward-9x9-inputs1-weights1328-rows1-relu-replicate-storage-registers8x8-f16",
        (1, True): "conv_forward-1x1-inputs64-weights528-rows1-relu-replicate-storage-registers8x8-f16",
        ("fused", False): "conv_fused_workgroup-9x9-filters64-filters32-5x5-replicate-uniform",
        ("fused", True): "conv_fused_workgroup-9x9-filters64-filters32-5x5-replicate-storage-f16",
    }
    with open(AMD, newline="") as file:
        next(file)  # the version of the driver
        rows = {row["kernel"].removeprefix("9-1-5/"): row for row in csv.DictReader(file) if row["family"] == "navi21"}
    found = {}
    for key, kernel in kernels.items():
        row = rows[kernel]
        packed = int(row["packed"])
        # Additions of what half precision has summed are no products.
        products = 2 * packed if packed else int(row["fma"])
        found[key] = int(row["vector"]) / products
    # The last layer is in single precision throughout.
    found[2, True] = found[2, False]
    return found


def times(gpu, pixels, half, ratios):
    """(milliseconds layer by layer, fused, bytes a pixel layer by layer, fused)."""
    rate, halves, bandwidth = GPUS[gpu]

    def ms(products, ratio, packed, bytes_a_pixel):
        # A packed instruction counts as one where half precision is twice as fast, else as two.
        instructions = products * ratio * (2 / halves if packed else 1)
        return max(pixels * instructions / (rate * 1e9), pixels * bytes_a_pixel / (bandwidth * 1e6))

    size = 2 if half else 4
    moved = [(4 if c == 1 else size) * c + (4 if n == 1 else size) * n for c, n in zip(MAPS, MAPS[1:])]
    layers = sum(ms(LAYERS[l], ratios[l, half], half and l < 2, moved[l]) for l in range(3))
    area = lambda sides: sides[0] * sides[1] / (BLOCK[0] * BLOCK[1])
    reads, partial = 4 * area(READ), 4 * area(SUMS)
    hidden = sum(LAYERS[:2]) * ratios["fused", half] * (2 / GPUS[gpu][1] if half else 1)
    # Layer 3 is in single precision: its ratio is that of the f32 kernel.
    fused = max(pixels * (hidden + LAYERS[2] * ratios["fused", False]) / (rate * 1e9), pixels * (reads + partial) / (bandwidth * 1e6))
    fused += pixels * (partial + 4) / (bandwidth * 1e6)
    return layers, fused, sum(moved), reads + 2 * partial + 4


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="1920x1080")
    width, height = map(int, parser.parse_args().size.split("x"))
    ratios = instructions()
    moved = {half: times("H200", 1, half, ratios)[2:] for half in (False, True)}
    print(f"Bytes a pixel: f32 {moved[False][0]:.0f} layer by layer, {moved[False][1]:.0f} fused; "
          f"f16 {moved[True][0]:.0f} and {moved[True][1]:.0f}.")
    print()
    print(f"| ms at {width}x{height} | f32, layer by layer | f32, fused | times | f16, layer by layer | f16, fused |")
    print("|---|--:|--:|--:|--:|--:|")
    for gpu in GPUS:
        single, half = (times(gpu, width * height, half, ratios) for half in (False, True))
        print(f"| {gpu} | {single[0]:.2f} | {single[1]:.2f} | {single[0] / single[1]:.2f} | {half[0]:.2f} | {half[1]:.2f} |")


if __name__ == "__main__":
    main()
