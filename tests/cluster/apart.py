#!/usr/bin/env python3
"""How far the weights of two runs are apart: apart.py A B [C].

Prints the root of the mean square of the differences as a part of that of the parameters. With C, fails if B is more than
ten times as far from A as C is.
"""

import array
import json
import math
import struct
import sys


def parameters(run):
    """All parameters of a run's best weights."""
    with open(f"{run}/best.safetensors", "rb") as file:
        data = file.read()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    values = array.array("f")
    for _, about in sorted(header.items()):
        begin, end = about["data_offsets"]
        values.frombytes(data[8 + length + begin : 8 + length + end])
    return values


def apart(one, other):
    """The distance of two runs."""
    assert len(one) == len(other), "other networks"
    squares = sum((a - b) ** 2 for a, b in zip(one, other))
    return math.sqrt(squares / sum(a * a for a in one))


runs = [parameters(run) for run in sys.argv[1:]]
distance = apart(*runs[:2])
print(f"{distance:.1e} of the weights' size")
if len(runs) > 2 and not distance <= 10 * apart(runs[0], runs[2]):
    sys.exit("FAILED: this is more than rounding")
