"""SRCNN super-resolution (Dong, Loy, He and Tang, ECCV 2014) on the GPU, without CUDA or PyTorch.

>>> import numpy, srcnn_gpu
>>> upscaler = srcnn_gpu.Upscaler()
>>> picture = numpy.zeros((90, 120, 3), numpy.uint8)
>>> upscaler.upscale(picture, 3).shape
(270, 360, 3)

Pictures are arrays of shape (H, W) or (H, W, C), gamma-encoded as in files: uint8 (0 to 255), uint16 (0 to 65535) or float32
(0 to 1). `Upscaler` enlarges them, `train` trains networks, `Weights` holds one; `imresize`, `rgb2ycbcr`, `psnr`, `ssim` and
`degrade` are those of the literature's protocols.
"""

from ._errors import (
    DivergedError,
    Error,
    ForkError,
    GpuError,
    InvalidArgumentError,
    MissingCapabilityError,
    ModelError,
    NoAdapterError,
    OutOfMemoryError,
    OutputError,
    PictureError,
    SelfTestError,
    WrongResultError,
)
from ._native import (
    Frames,
    Upscaler,
    Weights,
    __version__,
    degrade,
    devices,
    imresize,
    psnr,
    rgb2ycbcr,
    ssim,
    train,
)

__all__ = [
    "DivergedError",
    "Error",
    "ForkError",
    "Frames",
    "GpuError",
    "InvalidArgumentError",
    "MissingCapabilityError",
    "ModelError",
    "NoAdapterError",
    "OutOfMemoryError",
    "OutputError",
    "PictureError",
    "SelfTestError",
    "Upscaler",
    "Weights",
    "WrongResultError",
    "__version__",
    "degrade",
    "devices",
    "imresize",
    "psnr",
    "rgb2ycbcr",
    "ssim",
    "train",
]
