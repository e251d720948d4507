#!/usr/bin/env python3
"""Renders training pictures of what photographs hold too little of: text, line art, charts, screens, stripes and grids.

    python3 weights/render.py OUT --count 120 --seed 1

Needs numpy and Pillow, and TrueType or OpenType fonts in FONTS (any folder; Debian's fonts-dejavu, fonts-liberation, fonts-lato,
fonts-open-sans, fonts-roboto, fonts-ebgaramond, fonts-inconsolata and fonts-hack gave the shipped networks' pictures).
The same seed and the same fonts give the same pictures. Every sixth picture is of each kind; numbers are in the names.
"""

import argparse
import math
import pathlib
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE = 256
# Curves and slanted edges are drawn this many times larger and averaged, as a camera or a renderer does.
OVER = 4
WORDS = (
    "the of and to in is that it was for on are as with his they at be this from have or by one had not but what all were when "
    "we there can an your which their said if do will each about how up out them then she many some so these would other into "
    "Signal noise Filter layer Figure Table sum 2014 3.1415 100% (a) [12] f(x) = ax + b; E-mail: name@site.org $19.99 No. 7 Q&A"
).split()


def fonts(folder):
    """The Latin fonts below a folder, in the order of their names."""
    found = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".ttf", ".otf"))
    unfit = ("symbol", "dingbat", "math", "d050", "standardsymbols", "emoji", "icon")
    found = [p for p in found if not any(word in p.name.lower() for word in unfit)]
    if not found:
        raise SystemExit(f"no fonts in {folder}: install some, or name a folder with --fonts")
    return found


def colors(rng):
    """A background and an ink that can be told apart; in half of all cases black and white."""
    pick = rng.random()
    if pick < 0.35:
        return (255, 255, 255), (0, 0, 0)
    if pick < 0.5:
        return (16, 16, 20), (235, 235, 235)
    while True:
        back = tuple(rng.randrange(256) for _ in range(3))
        ink = tuple(rng.randrange(256) for _ in range(3))
        if abs(sum(back) - sum(ink)) > 240:
            return back, ink


def sentence(rng, count):
    return " ".join(rng.choice(WORDS) for _ in range(count))


def text(rng, faces):
    """Lines of text in one to three fonts, upright, at the sizes of documents and slides."""
    back, ink = colors(rng)
    scale = rng.choice((1, OVER))
    picture = Image.new("RGB", (SIDE * scale, SIDE * scale), back)
    draw = ImageDraw.Draw(picture)
    y = rng.randrange(8)
    while y < SIDE:
        size = rng.choice((9, 10, 11, 12, 13, 14, 16, 18, 22, 28, 36, 48))
        face = ImageFont.truetype(str(rng.choice(faces)), size * scale)
        for _ in range(rng.randrange(1, 5)):
            draw.text(((rng.randrange(12) - 4) * scale, y * scale), sentence(rng, 24), font=face, fill=ink)
            y += round(size * rng.uniform(1.1, 1.5))
    return picture


def line_art(rng, _faces):
    """Circles, polygons and lines of one to five pixels, some filled."""
    back, ink = colors(rng)
    picture = Image.new("RGB", (SIDE * OVER, SIDE * OVER), back)
    draw = ImageDraw.Draw(picture)
    place = lambda: (rng.randrange(SIDE * OVER), rng.randrange(SIDE * OVER))
    for _ in range(rng.randrange(12, 40)):
        width = round(rng.uniform(1, 5) * OVER)
        fill = ink if rng.random() < 0.7 else tuple(rng.randrange(256) for _ in range(3))
        kind = rng.randrange(4)
        if kind == 0:
            draw.line([place(), place()], fill=fill, width=width)
        elif kind == 1:
            (x, y), r = place(), rng.randrange(4, 80) * OVER
            draw.ellipse([x - r, y - r, x + r, y + r], outline=fill, width=width)
        elif kind == 2:
            points = [place() for _ in range(rng.randrange(3, 6))]
            draw.polygon(points, outline=fill, width=width, fill=fill if rng.random() < 0.2 else None)
        else:
            (x, y), r = place(), rng.randrange(4, 90) * OVER
            draw.arc([x - r, y - r, x + r, y + r], rng.randrange(360), rng.randrange(360), fill=fill, width=width)
    return picture


def chart(rng, faces):
    """Axes, bars, curves and their labels."""
    picture = Image.new("RGB", (SIDE * OVER, SIDE * OVER), (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    face = ImageFont.truetype(str(rng.choice(faces)), rng.choice((9, 10, 12)) * OVER)
    for top in (8, 132):
        left, right, bottom = 34, 246, top + 96
        for tick in range(5):
            y = bottom - tick * 22
            draw.line([left * OVER, y * OVER, right * OVER, y * OVER], fill=(200, 200, 200), width=OVER)
            draw.text((6 * OVER, (y - 6) * OVER), f"{tick * rng.choice((5, 10, 25))}", font=face, fill=(0, 0, 0))
        if rng.random() < 0.5:
            bars = rng.randrange(6, 30)
            step = (right - left) / bars
            for bar in range(bars):
                x, height = left + bar * step, rng.uniform(4, 90)
                box = [x * OVER, (bottom - height) * OVER, (x + step * 0.7) * OVER, bottom * OVER]
                draw.rectangle(box, fill=tuple(rng.randrange(220) for _ in range(3)))
        for _ in range(rng.randrange(1, 4)):
            slope, bend, phase = rng.uniform(-40, 40), rng.uniform(2, 9), rng.uniform(0, 6)
            height = lambda t: 48 + slope * (t - 0.5) + 20 * math.sin(bend * t + phase)
            curve = [((left + (right - left) * t) * OVER, (bottom - height(t)) * OVER) for t in np.linspace(0, 1, 120)]
            draw.line(curve, fill=tuple(rng.randrange(200) for _ in range(3)), width=round(rng.uniform(1, 2.5) * OVER))
        draw.line([left * OVER, top * OVER, left * OVER, bottom * OVER, right * OVER, bottom * OVER], fill=(0, 0, 0), width=OVER)
        draw.text((left * OVER, (bottom + 3) * OVER), sentence(rng, 6), font=face, fill=(0, 0, 0))
    return picture


def screen(rng, faces):
    """Windows, buttons, menus and lists, drawn to the pixel as screens do."""
    shade = rng.choice((30, 60, 200, 235, 245))
    picture = Image.new("RGB", (SIDE, SIDE), (shade, shade, min(255, shade + rng.randrange(12))))
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.randrange(6, 14)):
        x, y = rng.randrange(-20, SIDE - 20), rng.randrange(-10, SIDE - 10)
        w, h = rng.randrange(30, 160), rng.randrange(14, 90)
        back, ink = colors(rng)
        draw.rounded_rectangle([x, y, x + w, y + h], rng.choice((0, 0, 3, 6)), fill=back, outline=ink, width=rng.choice((1, 1, 2)))
        size = rng.choice((9, 10, 11, 12, 14))
        face = ImageFont.truetype(str(rng.choice(faces)), size)
        for line in range(max(1, h // (size + 4))):
            draw.text((x + 4, y + 2 + line * (size + 4)), sentence(rng, 12)[: w // max(4, size // 2)], font=face, fill=ink)
            if rng.random() < 0.3:
                draw.rectangle([x + w - 12, y + 4 + line * (size + 4), x + w - 6, y + 10 + line * (size + 4)], outline=ink)
    return picture


def wave(rng, kind, across):
    """Brightness from 0 to 1 of a position in periods: strict stripes of any duty, or a sine."""
    duty = rng.uniform(0.25, 0.75)
    if kind == "stripes":
        return (np.mod(across, 1.0) < duty).astype(np.float32)
    return (0.5 + 0.5 * np.sin(2 * np.pi * across)).astype(np.float32)


def stripes(rng, _faces):
    """Stripes and waves in four fields, each of its own angle and period; some upright, as buildings and fabrics have them."""
    back, ink = (np.array(color, np.float32) for color in colors(rng))
    picture = np.zeros((SIDE * OVER, SIDE * OVER, 3), np.float32)
    half = SIDE * OVER // 2
    rows, columns = np.mgrid[0:half, 0:half].astype(np.float32) / OVER
    for top in (0, half):
        for left in (0, half):
            angle = rng.choice((0.0, math.pi / 2, rng.uniform(0, math.pi), rng.uniform(0, math.pi)))
            period = math.exp(rng.uniform(math.log(3), math.log(24)))
            across = (columns * math.cos(angle) + rows * math.sin(angle)) / period + rng.random()
            part = wave(rng, rng.choice(("stripes", "stripes", "sine")), across)[..., None]
            picture[top : top + half, left : left + half] = back + (ink - back) * part
    return Image.fromarray(np.uint8(np.round(picture)))


def grid(rng, _faces):
    """Crossed stripes, chessboards and rings."""
    back, ink = (np.array(color, np.float32) for color in colors(rng))
    rows, columns = np.mgrid[0 : SIDE * OVER, 0 : SIDE * OVER].astype(np.float32) / OVER
    angle = rng.choice((0.0, rng.uniform(0, math.pi / 2)))
    period = math.exp(rng.uniform(math.log(4), math.log(28)))
    u = (columns * math.cos(angle) + rows * math.sin(angle)) / period + rng.random()
    v = (rows * math.cos(angle) - columns * math.sin(angle)) / (period * rng.uniform(0.7, 1.5)) + rng.random()
    kind = rng.randrange(3)
    if kind == 0:
        part = np.maximum(wave(rng, "stripes", u), wave(rng, "stripes", v))
    elif kind == 1:
        part = np.mod(np.floor(u) + np.floor(v), 2)
    else:
        middle = rng.uniform(0, SIDE), rng.uniform(0, SIDE)
        part = wave(rng, rng.choice(("stripes", "sine")), np.hypot(columns - middle[0], rows - middle[1]) / period)
    return Image.fromarray(np.uint8(np.round(back + (ink - back) * part[..., None])))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path, help="folder for the pictures; made if it is missing")
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fonts", default="/usr/share/fonts")
    arguments = parser.parse_args()
    faces = fonts(arguments.fonts)
    arguments.out.mkdir(parents=True, exist_ok=True)
    kinds = (text, stripes, line_art, grid, chart, screen)
    for number in range(arguments.count):
        kind = kinds[number % len(kinds)]
        rng = random.Random(f"{arguments.seed} {number}")
        picture = kind(rng, faces)
        if picture.width > SIDE:
            picture = picture.resize((SIDE, SIDE), Image.Resampling.BOX)
        picture.save(arguments.out / f"{number:04d}_{kind.__name__}.png")


if __name__ == "__main__":
    main()
