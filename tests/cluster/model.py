#!/usr/bin/env python3
"""What a step takes on N ranks, from measured figures: model.py --help.

A step computes its share of the batch, and exchanges the gradients layer by layer: an all-to-all and an all-gather each,
which take log2(N) messages (MPI's algorithm for short ones) and carry 2 (N-1)/N of the bytes. The exchange of all layers
but the first goes on while the device computes the next one's gradients: BACKWARD says which part of the computing that is.
"""

import argparse
import math

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--sub-image", type=float, required=True, help="microseconds that one sub-image of a step takes")
parser.add_argument("--fixed", type=float, default=0.0, help="microseconds of a step whatever its batch")
parser.add_argument("--layers", type=int, nargs="+", required=True, help="bytes of each layer's gradients, first layer first")
parser.add_argument("--latency", type=float, required=True, help="microseconds of a message between two ranks")
parser.add_argument("--bandwidth", type=float, required=True, help="gigabits a second between two ranks")
parser.add_argument("--backward", type=float, default=0.5, help="part of the computing after the last layer's gradients")
parser.add_argument("--batches", type=int, nargs="+", default=[32, 128, 1024, 8192])
parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4, 8, 16, 64, 256, 1024])
args = parser.parse_args()


def exchange(size, ranks):
    """Microseconds of one layer's exchange."""
    if ranks == 1:
        return 0.0
    messages = 2 * math.ceil(math.log2(ranks))
    return messages * args.latency + 2 * (ranks - 1) / ranks * size * 8 / (args.bandwidth * 1e3)


def step(batch, ranks):
    """Microseconds of a step, and those of them that wait for the exchange."""
    compute = args.fixed + math.ceil(batch / ranks) * args.sub_image
    first, *others = (exchange(size, ranks) for size in args.layers)
    waits = first + max(0.0, sum(others) - args.backward * compute)
    return compute + waits, waits


print("| ranks | " + " | ".join(f"batch {batch}" for batch in args.batches) + " |")
print("|---:|" + "---:|" * len(args.batches))
for ranks in args.ranks:
    cells = []
    for batch in args.batches:
        if batch < ranks:
            cells.append("-")
            continue
        time, waits = step(batch, ranks)
        cells.append(f"{time / 1e3:.2f} ms, {step(batch, 1)[0] / time:.1f}x, {100 * waits / time:.0f} %")
    print(f"| {ranks} | " + " | ".join(cells) + " |")
