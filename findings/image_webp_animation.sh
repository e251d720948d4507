#!/usr/bin/env bash
# image-webp, the Rust decoder, leaves trails in an animation that disposes of its frames, and darkens each blended frame.
#
# In a lossless file an opaque square, with a hole in it, wanders over transparent ground, and each frame but the last is
# disposed of when its time is over. Pillow writes the file and reads it back with libwebp, exactly as it was drawn.
# image-webp reads it without an error and shows two other things.
# It clears nothing. The flag in the file only counts after the caller has said set_background_color(); until then the squares
# pile up. Since the method is there to choose a colour, nothing hints that without it disposal is off.
# And every frame but the first is a level too dark: 200, 100, 50 becomes 199, 99, 49. Those frames are to be blended with
# what is below, and blending a pixel of full alpha takes one off each value above 0 (255 becomes 254), also once the colour
# is set. So comparing a lossless animation value by value fails.
#
# Seen with image-webp 0.2.4 (rustc 1.95.0) and Pillow 13.0.0 (libwebp 1.6.0), the red of the four places by frame:
#   drawn, and Pillow            200 0 0 0, 0 200 0 0, 0 0 200 0, 0 0 0 200
#   image-webp as it is          200 0 0 0, 200 199 0 0, 200 199 199 0, 200 199 199 199
#   image-webp with the colour   200 0 0 0, 0 199 0 0, 0 0 199 0, 0 0 0 199
#
# Needs cargo and python3 (3.11 or later) with venv. Ends with 1 if one of these answers is another one.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0
cat > write.py <<'PYTHON'
from PIL import Image

def red(image):
    return ' '.join(str(image.convert('RGBA').getpixel((16 * place + 8, 16))[0]) for place in range(4))

frames = [Image.new('RGBA', (64, 32)) for _ in range(4)]
for place, frame in enumerate(frames):
    frame.paste((200, 100, 50, 255), (16 * place, 8, 16 * place + 16, 24))
    frame.putpixel((16 * place + 4, 12), (0, 0, 0, 0))
frames[0].save('square.webp', save_all=True, append_images=frames[1:], lossless=True)
print('drawn:', ', '.join(map(red, frames)))
with Image.open('square.webp') as file:
    told = []
    for number, frame in enumerate(frames):
        file.seek(number)
        told.append(red(file))
        assert file.convert('RGBA').tobytes() == frame.tobytes()
print('Pillow:', ', '.join(told))

# The last byte in front of a frame's pixels: 1 for disposing, 2 for not blending.
data = open('square.webp', 'rb').read()
at = 12
flags = []
while at < len(data):
    if data[at:at + 4] == b'ANMF':
        flags.append(str(data[at + 23]))
    size = int.from_bytes(data[at + 4:at + 8], 'little')
    at += 8 + size + size % 2
print('flags:', *flags)
PYTHON
venv/bin/python write.py | tee told

cargo new --quiet --vcs none read
cd read
cargo add --quiet image-webp@=0.2.4
cat > src/main.rs <<'RUST'
fn main() {
    let data = std::fs::read("square.webp").unwrap();
    for colour in [None, Some([0; 4])] {
        let mut decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(&data)).unwrap();
        if let Some(colour) = colour {
            decoder.set_background_color(colour).unwrap();
        }
        let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
        let mut told = Vec::new();
        for _ in 0..decoder.num_frames() {
            decoder.read_frame(&mut pixels).unwrap();
            let red = |place: usize| pixels[(16 * 64 + 16 * place + 8) * 4].to_string();
            told.push((0..4).map(red).collect::<Vec<_>>().join(" "));
        }
        println!("image-webp {}: {}", if colour.is_some() { "with the colour" } else { "as it is" }, told.join(", "));
    }
}
RUST
nice cargo build --quiet
cd ..
read/target/debug/read | tee -a told

for answer in 'drawn: 200 0 0 0, 0 200 0 0, 0 0 200 0, 0 0 0 200' 'Pillow: 200 0 0 0, 0 200 0 0, 0 0 200 0, 0 0 0 200' \
    'flags: 3 1 1 0' 'image-webp as it is: 200 0 0 0, 200 199 0 0, 200 199 199 0, 200 199 199 199' \
    'image-webp with the colour: 200 0 0 0, 0 199 0 0, 0 0 199 0, 0 0 0 199'; do
    grep -qx "$answer" told || { echo "changed: no longer '$answer'"; exit 1; }
done
echo "as it was"
