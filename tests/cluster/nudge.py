#!/usr/bin/env python3
"""Copies a .safetensors file and moves each number to a neighbor, up or down by turns that look random: nudge.py A B.

What training makes of the two says how far rounding alone takes it."""

import struct
import sys

with open(sys.argv[1], "rb") as file:
    data = bytearray(file.read())
(length,) = struct.unpack_from("<Q", data)
state = 1
for at in range(8 + length, len(data), 4):
    (bits,) = struct.unpack_from("<I", data, at)
    state = state * 1664525 + 1013904223 & 0xFFFFFFFF
    # Zeros stay.
    if bits & 0x7FFFFFFF:
        struct.pack_into("<I", data, at, bits + (1 if state >> 31 else -1))
with open(sys.argv[2], "wb") as file:
    file.write(data)
