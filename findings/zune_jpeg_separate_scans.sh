#!/usr/bin/env bash
# zune-jpeg mixes up the picture of a baseline JPEG file whose brightness and colours stand in scans of their own.
#
# A sequential JPEG file may bring its components one after another, each in its own scan. cjpeg writes such a file when asked
# with -scans, and for djpeg the order makes no difference: the pixels are the same as those of a file with one scan.
# zune-jpeg, which the Rust crate image reads JPEG with, decodes such a file without an error. But with colours of half the
# height (4:2:0 or 4:4:0) not one pixel is near the true one: in the 4:2:0 picture of 32 x 32, rows 8 to 15 and 24 to 31 are
# one flat green. With colours of half the width only (4:2:2) it depends on the size and on how much is taken apart:
# 24 x 40 goes partly wrong with a scan for each component, 32 x 40 does not, nor do two scans.
# Progressive files, which have many scans too, are fine, and so is 4:4:4.
#
# Seen with zune-jpeg 0.5.15 (rustc 1.95.0) and libjpeg-turbo 2.1.5 (Debian 12), pixels more than 8 levels off djpeg's:
#   4:2:0 or 4:4:0, brightness in a scan of its own: all of them
#   4:2:2, 24 x 40, a scan for each: 192 of 960; 32 x 40: none
#   all others below: none
#
# Needs cargo, python3, and cjpeg and djpeg (Debian's package libjpeg-turbo-progs). Ends with 1 if a count is another one.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cargo new --quiet --vcs none decode
cd decode
cargo add --quiet zune-jpeg@=0.5.15
cat > src/main.rs <<'RUST'
use std::io::Write;
use zune_jpeg::{JpegDecoder, zune_core::bytestream::ZCursor};

fn main() {
    let data = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    let pixels = JpegDecoder::new(ZCursor::new(&data[..])).decode().unwrap();
    std::io::stdout().write_all(&pixels).unwrap();
}
RUST
nice cargo build --quiet
cd ..

printf '0 1 2;\n' > together
printf '0;\n1 2;\n' > apart
printf '0;\n1;\n2;\n' > each
cat > count.py <<'PYTHON'
import subprocess
import sys

def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout

changed = False
for width, height, factors, scans, expected in [
    (32, 32, '2x2', 'together', 0), (32, 32, '2x2', 'progressive', 0), (32, 32, '2x2', 'apart', 1024),
    (32, 32, '2x2', 'each', 1024), (50, 37, '2x2', 'each', 1850), (32, 32, '1x2', 'each', 1024),
    (32, 40, '2x1', 'each', 0), (24, 40, '2x1', 'apart', 0), (24, 40, '2x1', 'each', 192), (50, 37, '1x1', 'each', 0),
]:
    size = width * height
    with open('in.ppm', 'wb') as file:
        file.write(b'P6\n%d %d\n255\n' % (width, height))
        file.write(bytes(v for y in range(height) for x in range(width)
                         for v in (x * 255 // (width - 1), y * 255 // (height - 1), (x + y) * 255 // (width + height - 2))))
    order = ['-progressive'] if scans == 'progressive' else ['-scans', scans]
    run('cjpeg', '-quality', '90', '-sample', factors, *order, '-outfile', 'a.jpg', 'in.ppm')
    true, told = run('djpeg', '-pnm', 'a.jpg')[-3 * size:], run('decode/target/debug/decode', 'a.jpg')
    off = sum(max(abs(a - b) for a, b in zip(true[i:i + 3], told[i:i + 3])) > 8 for i in range(0, 3 * size, 3))
    print(f'{width} x {height}, -sample {factors}, {scans}: {off} of {size}')
    if len(told) != 3 * size or off != expected:
        changed = True
        print(f'changed: no longer {expected}')
sys.exit(changed)
PYTHON
python3 count.py
echo "as it was"
