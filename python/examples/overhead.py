"""What Python adds to a call, and whether memory grows over many of them.

    python overhead.py [PICTURES]

A call's time in Rust is `Upscaler.timing['wall']`, the time of the network's own call; what is left of the time of `upscale` is
copying the array, checking it, allocating the result, and Python itself. Memory is read where /proc has it.
"""

import os
import statistics
import sys
import time

import numpy as np

import srcnn_gpu

SCALE = 3


def resident():
    """MiB in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    upscaler = srcnn_gpu.Upscaler()
    random = np.random.default_rng(0)
    print(upscaler.adapter["name"])
    for shape in [(16, 16, 3), (48, 64, 3), (120, 160, 3)]:
        picture = random.integers(0, 256, shape, np.uint8)
        upscaler.upscale(picture, SCALE)
        added = []
        for _ in range(50):
            begun = time.perf_counter()
            upscaler.upscale(picture, SCALE)
            added.append(1e3 * (time.perf_counter() - begun - upscaler.timing["wall"]))
        median, most = statistics.median(added), max(added)
        print(f"{shape}: {median:.3f} ms more than in Rust, {most:.3f} ms at most")
    pictures = [random.integers(0, 256, (32 + 8 * index, 48, 3), np.uint8) for index in range(3)]
    for done in range(count + 1):
        # Each size a few times in turn, integers and floats.
        picture = pictures[done // 10 % 3]
        upscaler.upscale(picture if done % 2 else picture.astype(np.float32) / 255, SCALE)
        if done % max(1, count // 5) == 0 and sys.platform.startswith("linux"):
            print(f"after {done} pictures: {resident():.1f} MiB")


if __name__ == "__main__":
    main()
