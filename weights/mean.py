#!/usr/bin/env python3
"""The mean of the weights of two networks, of which one began with the other (Wortsman et al., *Robust fine-tuning of zero-shot
models*, CVPR 2022): often better than both, on what the first had learned and on what the second was trained on.

    python3 weights/mean.py native_x3/best.safetensors soft_x3/best.safetensors -o x3.safetensors

Both have one architecture and one scale. The PSNR that the files hold is left out, as it is not the mean's. Needs numpy and
safetensors.
"""

import argparse

from safetensors.numpy import save_file

from transplant import load

SAME = ("architecture", "filters", "channels", "padding", "scales", "degradation")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("-o", "--output", required=True)
    arguments = parser.parse_args()
    (first, about), (second, also) = load(arguments.first), load(arguments.second)
    different = [name for name in SAME if about.get(name) != also.get(name)]
    if different:
        raise SystemExit(f"{arguments.first} and {arguments.second} differ in {', '.join(different)}: no mean is of use")
    mean = {name: ((first[name].astype("f8") + second[name]) / 2).astype("f4") for name in first}
    about.pop("psnr", None)
    about["training"] = f"mean of the weights of two runs: {about.get('training')}; {also.get('training')}"
    save_file(mean, arguments.output, metadata=about)
