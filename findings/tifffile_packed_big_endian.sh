#!/usr/bin/env bash
# tifffile cannot read back the 10-, 12- or 14-bit samples that it wrote into a big-endian TIFF file.
#
# Samples of such widths are packed most significant bit first, whichever byte order the file has. tifffile writes them right
# into a little-endian file. For a big-endian one it swaps the two bytes of each 16-bit value before it packs their lower bits,
# so that 1 becomes 256, and what does not fit is cut off without an error: of 10 bits, 100 (0x0064, swapped 0x6400) leaves 0.
# The reader is not at fault: in the bytes themselves, read one bit after another, the same wrong values stand, and when the
# packed bytes of the little-endian file are put into the big-endian one, tifffile reads the right ones.
# Whole 16-bit samples come out right in both byte orders.
#
# Seen with tifffile 2026.3.3 (imagecodecs 2026.3.6, numpy 2.4.6, Python 3.11), for the values 1 2 100 300 1023:
#   10 bits, little-endian: 1 2 100 300 1023    big-endian: 256 512 0 1 771
#   12 bits, little-endian: 1 2 100 300 1023    big-endian: 256 512 1024 3073 3843
#   14 bits, little-endian: 1 2 100 300 1023    big-endian: 256 512 9216 11265 16131
#   16 bits                 1 2 100 300 1023                1 2 100 300 1023
#
# Needs python3 (3.11 or later) with venv. Ends with 1 if one of these answers is another one.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check tifffile==2026.3.3 imagecodecs==2026.3.6 numpy==2.4.6

cat > ask.py <<'PYTHON'
import io
import sys
import numpy as np
import tifffile

true = [1, 2, 100, 300, 1023]
wrong = {10: [256, 512, 0, 1, 771], 12: [256, 512, 1024, 3073, 3843], 14: [256, 512, 9216, 11265, 16131], 16: true}

def packed(data):
    # Where the only strip begins and how long it is, by tifffile's reading of the header
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        assert page.bitspersample == bits and page.compression == 1 and len(page.dataoffsets) == 1
        return slice(page.dataoffsets[0], page.dataoffsets[0] + page.databytecounts[0])

def by_hand(data):
    digits = ''.join(f'{byte:08b}' for byte in data[packed(data)])
    return [int(digits[bits * i:bits * (i + 1)], 2) for i in range(len(true))]

def by_tifffile(data):
    return tifffile.imread(io.BytesIO(data)).ravel().tolist()

same = True
for bits, expected in wrong.items():
    files = []
    for order in '<>':
        file = io.BytesIO()
        tifffile.imwrite(file, np.array([true], np.uint16), bitspersample=bits, byteorder=order, photometric='minisblack')
        files.append(file.getvalue())
    little, big = files
    assert little[:2] == b'II' and big[:2] == b'MM'
    print(f'{bits} bits, little-endian:', *by_tifffile(little), '   big-endian:', *by_tifffile(big))
    same &= by_tifffile(little) == true and by_tifffile(big) == expected
    if bits < 16:
        print('    bit after bit:     ', *by_hand(little), '               ', *by_hand(big))
        mended = bytearray(big)
        mended[packed(big)] = little[packed(little)]
        print('    packed bytes of the little-endian file in the big-endian one:', *by_tifffile(bytes(mended)))
        same &= by_hand(little) == true and by_hand(big) == expected and by_tifffile(bytes(mended)) == true
sys.exit(0 if same else 'changed')
PYTHON
venv/bin/python ask.py
echo "as it was"
