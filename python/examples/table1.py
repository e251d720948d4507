"""Table 1 of the paper on Set5: bicubic interpolation and SRCNN, PSNR in dB, with the protocol of the authors' code.

    python table1.py Set5 9-1-5_91-images_x3.mat

Set5 is a folder with the five pictures, the second argument the authors' weight file for x3, or one of your own. Neither is
part of the package. Pictures are read by Pillow (pip install pillow).
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import srcnn_gpu

SCALE = 3


def luminance(path):
    """MATLAB's rgb2ycbcr(imread(path)), its first channel, cut to multiples of the scale."""
    picture = np.asarray(Image.open(path))
    plane = picture if picture.ndim == 2 else srcnn_gpu.rgb2ycbcr(picture[..., :3])[..., 0]
    height, width = (side - side % SCALE for side in plane.shape)
    return plane[:height, :width]


def to_uint8(plane):
    return np.clip(np.floor(255 * plane + 0.5), 0, 255).astype(np.uint8)


def main():
    folder, weights = sys.argv[1:]
    network = srcnn_gpu.Upscaler(weights)
    rows = []
    for path in sorted(Path(folder).iterdir()):
        truth = luminance(path)
        # In double precision and without rounding, as the authors' code does it.
        low = srcnn_gpu.imresize(truth / 255, 1 / SCALE)
        bicubic = to_uint8(srcnn_gpu.imresize(low, SCALE))
        result = to_uint8(network.upscale_planes(low, SCALE))
        rows.append((path.stem, *(srcnn_gpu.psnr(truth, made, shave=SCALE) for made in (bicubic, result))))
    rows.append(("average", *np.mean([row[1:] for row in rows], axis=0)))
    print(f"{'Set5, x3':<14} bicubic   SRCNN")
    for name, bicubic, result in rows:
        print(f"{name:<14} {bicubic:7.2f} {result:7.2f}")


if __name__ == "__main__":
    main()
