#!/usr/bin/env bash
# A lossless WebP animation of something opaque on transparent ground comes back on black ground, without its transparency.
#
# Pillow lets libwebp write the animation, from RGBA pictures: a filled rectangle moves over empty ground. libwebp cuts each
# frame down to that rectangle, in which every pixel is opaque, and the header then says that the file has no alpha at all,
# although the rest of the canvas is empty. Pillow, with libwebp again, reads that rest as opaque black and the mode as RGB.
# Neither writing nor reading warns, and exact=True does not help.
# One transparent pixel inside the rectangle is enough for everything to come back as it was drawn, so whether the ground
# survives depends on the shape of what moves over it. With kmax=1 it survives too: every frame is then a whole picture.
# The first picture alone, as a WebP file that does not move, keeps its ground, and so does the same animation as PNG.
#
# Seen with Pillow 13.0.0 (libwebp 1.6.0), the mode and the corner of the first picture, which is empty:
#   rectangle                 RGB (0, 0, 0, 255)     rectangle, exact=True     RGB (0, 0, 0, 255)
#   rectangle with a hole     RGBA (0, 0, 0, 0)      rectangle, kmax=1         RGBA (0, 0, 0, 0)
#   first picture alone       RGBA (0, 0, 0, 0)      PNG                       RGBA (0, 0, 0, 0)
#
# Needs python3 (3.11 or later) with venv. Ends with 1 if one of these answers is another one.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0

cat > ask.py <<'PYTHON'
import io
import sys
from PIL import Image

def draw(hole):
    pictures = [Image.new('RGBA', (64, 32)) for _ in range(3)]
    for place, picture in enumerate(pictures):
        picture.paste((200, 100, 50, 255), (16 * place + 8, 8, 16 * place + 24, 24))
        if hole:
            picture.putpixel((16 * place + 12, 12), (0, 0, 0, 0))
    return pictures

same = True
for what, hole, kind, count, options, kept in [
    ('rectangle', False, 'WEBP', 3, {}, False),
    ('rectangle, exact=True', False, 'WEBP', 3, {'exact': True}, False),
    ('rectangle, kmax=1', False, 'WEBP', 3, {'kmax': 1}, True),
    ('rectangle with a hole', True, 'WEBP', 3, {}, True),
    ('first picture alone', False, 'WEBP', 1, {}, True),
    ('PNG', False, 'PNG', 3, {}, True),
]:
    drawn = draw(hole)[:count]
    file = io.BytesIO()
    if kind == 'WEBP':
        options = {'lossless': True, **options}
    if count > 1:
        options = {'save_all': True, 'append_images': drawn[1:], **options}
    drawn[0].save(file, kind, **options)
    equal = True
    with Image.open(file) as read:
        mode, corner = read.mode, read.convert('RGBA').getpixel((0, 0))
        for number, picture in enumerate(drawn):
            read.seek(number)
            equal &= read.convert('RGBA').tobytes() == picture.tobytes()
    print(f'{what:<23} {mode} {corner}', 'as drawn' if equal else 'not as drawn')
    # In the header of an animation: 2 for an animation, 16 for alpha
    if kind == 'WEBP' and count > 1:
        same &= file.getvalue()[12:16] == b'VP8X' and file.getvalue()[20] == (18 if kept else 2)
    same &= equal == kept and (mode, corner) == (('RGBA', (0, 0, 0, 0)) if kept else ('RGB', (0, 0, 0, 255)))
sys.exit(0 if same else 'changed')
PYTHON
venv/bin/python ask.py
echo "as it was"
