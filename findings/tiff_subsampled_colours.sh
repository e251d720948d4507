#!/usr/bin/env bash
# ImageMagick 6 shows a TIFF file of one flat colour in several, if the colour is stored at half the width or height.
#
# TIFF allows YCbCr pixels whose Cb and Cr are stored once for a block of 2 x 1, 1 x 2, 2 x 2 or more pixels: first the block's
# values of Y, then its Cb and Cr. ImageMagick takes these bytes for full pixels, three bytes each, and says nothing: no
# warning, exit status 0. The pictures here are so plain that a misreading cannot hide: 8 x 8 pixels, all of the same Y, Cb
# and Cr. Without halving (1 x 1) it shows the one colour; with it, 3 to 6 colours, whether the file is compressed (Deflate)
# or not.
# Pillow is no help with the plain file: it reads what is deflated right, through libtiff, but calls the very same picture
# truncated when it is not compressed, although each byte is there. It leaves such files to its own raw reader.
# The colour shown here as true is that of the conversion formula with the usual factors (0.299, 0.587, 0.114).
#
# Seen with ImageMagick 6.9.11-60 (Debian 12) and Pillow 13.0.0, true colour 167 151 100, plain and deflated:
#   1 x 1    ImageMagick 168,151,101                       Pillow within 1 of the truth, both
#   2 x 1    ImageMagick 6 colours, one is 111,162,190     Pillow right if deflated, "truncated" if plain
#   2 x 2    ImageMagick 3 colours, one is 182,126,190     Pillow likewise
#   1 x 2    ImageMagick 5 colours, one is 111,162,190     Pillow likewise
#
# Needs convert-im6.q16 (Debian's package imagemagick) and python3 (3.11 or later) with venv. Ends with 1 if one of the answers
# is another one.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0

cat > ask.py <<'PYTHON'
import struct
import subprocess
import sys
import zlib
from PIL import Image

Y, CB, CR = 150, 100, 140
true = [round(v) for v in (Y + 1.402 * (CR - 128), Y - 0.344136 * (CB - 128) - 0.714136 * (CR - 128), Y + 1.772 * (CB - 128))]

def tiff(across, down, compression):
    data = (bytes([Y] * (across * down)) + bytes([CB, CR])) * (64 // (across * down))
    if compression == 8:
        data = zlib.compress(data)
    # The directory has 13 entries and ends at 170; then come three sample widths and the range of each component.
    tail = struct.pack('<3H', 8, 8, 8) + struct.pack('<12I', 0, 1, 255, 1, 128, 1, 255, 1, 128, 1, 255, 1)
    entries = [(256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 3, 170), (259, 3, 1, compression), (262, 3, 1, 6),
               (273, 4, 1, 170 + len(tail)), (277, 3, 1, 3), (278, 3, 1, 8), (279, 4, 1, len(data)), (284, 3, 1, 1),
               (530, 3, 2, across | down << 16), (531, 3, 1, 1), (532, 5, 6, 176)]
    directory = struct.pack('<H', len(entries)) + b''.join(struct.pack('<HHII', *entry) for entry in entries) + bytes(4)
    assert 8 + len(directory) == 170
    return b'II*\0' + struct.pack('<I', 8) + directory + tail + data

same = True
for across, down, number, seen, by_pillow in [
    (1, 1, 1, (168, 151, 101), {1: 'near', 8: 'near'}), (2, 1, 6, (111, 162, 190), {1: 'truncated', 8: 'near'}),
    (2, 2, 3, (182, 126, 190), {1: 'truncated', 8: 'near'}), (1, 2, 5, (111, 162, 190), {1: 'truncated', 8: 'near'}),
]:
    for compression, what in (1, 'plain'), (8, 'deflated'):
        with open('a.tif', 'wb') as file:
            file.write(tiff(across, down, compression))
        done = subprocess.run(['convert-im6.q16', 'a.tif', '-depth', '8', 'rgb:-'], check=True, capture_output=True)
        colours = {tuple(done.stdout[i:i + 3]) for i in range(0, len(done.stdout), 3)}
        try:
            with Image.open('a.tif') as image:
                pixels = image.convert('RGB').tobytes()
            off = max(abs(v - true[i % 3]) for i, v in enumerate(pixels))
            told = 'near' if off <= 1 else f'{off} off'
        except OSError as error:
            told = 'truncated' if 'truncated' in str(error) else str(error)
        print(f'{across} x {down} {what}: ImageMagick {len(colours)}:', *sorted(colours), f'Pillow: {told}')
        right = len(done.stdout) == 192 and not done.stderr and (len(colours) > 1) == (number > 1) and seen in colours
        same &= right and told == by_pillow[compression]
print('true colour:', *true)
sys.exit(0 if same else 'changed')
PYTHON
venv/bin/python ask.py
echo "as it was"
