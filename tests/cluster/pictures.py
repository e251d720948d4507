#!/usr/bin/env python3
"""Draws a few grey pictures to train on, as PGM files: pictures.py FOLDER."""

import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True)
for number in range(6):
    width, height = 150 + 7 * number, 140
    pixels = bytes(
        (x // (3 + number) + y // (9 - number)) % 2 * 130 + (x * y + number) % 60
        for y in range(height)
        for x in range(width)
    )
    (folder / f"{number}.pgm").write_bytes(b"P5 %d %d 255\n" % (width, height) + pixels)
