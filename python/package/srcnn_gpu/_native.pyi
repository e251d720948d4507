from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike
from typing import Any, Literal, Protocol, SupportsFloat, TypeAlias, TypedDict, final

import numpy as np
import numpy.typing as npt

__version__: str

class _DLPack(Protocol):
    def __dlpack__(self, *, stream: Any = ...) -> Any: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...

_Array: TypeAlias = npt.ArrayLike | _DLPack
_Result: TypeAlias = npt.NDArray[Any]
_Path: TypeAlias = str | PathLike[str]
_Size: TypeAlias = tuple[int, int]
_Progress: TypeAlias = Callable[[int, int], object]
_Alpha: TypeAlias = Literal["auto", "net", "bicubic"]
_Backend: TypeAlias = Literal["vulkan", "metal", "dx12", "gl"]
_Channels: TypeAlias = Literal["y", "ycbcr", "rgb"]
_Padding: TypeAlias = Literal["replicate", "normalized", "zero", "valid"]
_Protocol: TypeAlias = Literal["srcnn", "ntire", "rgb"]

class _Adapter(TypedDict):
    name: str
    type: Literal["discrete", "integrated", "virtual", "other", "software"]
    backend: str
    driver: str

class _Device(_Adapter):
    lacks: str | None

class _Timing(TypedDict):
    wall: float
    gpu: float
    upload: float
    readback: float
    preparation: float

@final
class Upscaler:
    def __new__(
        cls,
        model: _Path | Weights | Iterable[_Path | Weights] | None = None,
        gpu: str | int | None = None,
        *,
        backend: _Backend | None = None,
        padding: _Padding | None = None,
        precision: Literal["f32", "f16"] = "f32",
        tile: int | None = None,
        tta: bool = False,
        verify: bool = False,
        autotune: bool = True,
    ) -> Upscaler: ...
    def upscale(
        self,
        array: _Array,
        scale: SupportsFloat | None = None,
        *,
        size: _Size | None = None,
        alpha: _Alpha = "auto",
        progress: _Progress | None = None,
    ) -> _Result: ...
    def upscale_batch(
        self,
        array: _Array,
        scale: SupportsFloat | None = None,
        *,
        size: _Size | None = None,
        alpha: _Alpha = "auto",
        progress: _Progress | None = None,
    ) -> _Result: ...
    def upscale_frames(
        self,
        frames: Iterable[_Array],
        scale: SupportsFloat | None = None,
        *,
        size: _Size | None = None,
        alpha: _Alpha = "auto",
    ) -> Frames: ...
    def upscale_planes(
        self,
        planes: _Array,
        scale: SupportsFloat | None = None,
        *,
        size: _Size | None = None,
        progress: _Progress | None = None,
    ) -> npt.NDArray[np.float32]: ...
    @property
    def adapter(self) -> _Adapter: ...
    @property
    def models(self) -> list[str]: ...
    @property
    def timing(self) -> _Timing: ...

@final
class Frames(Iterator[_Result]):
    def __iter__(self) -> Frames: ...
    def __next__(self) -> _Result: ...

@final
class Weights:
    @staticmethod
    def load(path: _Path) -> Weights: ...
    @staticmethod
    def shipped(
        name: Literal["small", "large", "photo", "deblock"] = "small", scale: SupportsFloat = 3.0
    ) -> Weights: ...
    @staticmethod
    def from_dict(
        arrays: dict[str, Any],
        *,
        scales: Sequence[float] = ...,
        channels: _Channels | None = None,
        padding: _Padding = "zero",
    ) -> Weights: ...
    def to_dict(self) -> dict[str, npt.NDArray[np.float32]]: ...
    def save(self, path: _Path) -> None: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(content: bytes) -> Weights: ...
    @property
    def sizes(self) -> str: ...
    @property
    def filters(self) -> str: ...
    @property
    def channels(self) -> _Channels: ...
    @property
    def padding(self) -> _Padding: ...
    @property
    def scales(self) -> list[float]: ...
    @property
    def degradation(self) -> str | None: ...
    @property
    def training(self) -> str | None: ...
    @property
    def parameters(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Weights], tuple[bytes]]: ...

def devices(*, backend: _Backend | None = None) -> list[_Device]: ...
def imresize(array: _Array, scale: SupportsFloat | None = None, *, size: _Size | None = None) -> _Result: ...
def rgb2ycbcr(array: _Array) -> _Result: ...
def psnr(
    truth: _Array,
    other: _Array,
    *,
    protocol: _Protocol = "srcnn",
    scale: SupportsFloat | None = None,
    shave: int | None = None,
) -> float: ...
def ssim(
    truth: _Array,
    other: _Array,
    *,
    protocol: _Protocol = "srcnn",
    scale: SupportsFloat | None = None,
    shave: int | None = None,
) -> float: ...
def degrade(
    array: _Array, scale: SupportsFloat, degradation: str = "bicubic", *, seed: int | None = None
) -> _Result: ...
def train(
    data: _Path | Sequence[_Path] | None = None,
    scale: int | Sequence[int] | None = None,
    output: _Path | None = None,
    *,
    callback: Callable[[dict[str, Any]], object] | None = None,
    val: _Path | Sequence[_Path] | None = None,
    watch: _Path | Sequence[_Path] | None = None,
    steps: int | None = None,
    backprops: int | None = None,
    time: str | None = None,
    resume: _Path | None = None,
    recipe: Literal["fast", "paper"] | None = None,
    config: _Path | None = None,
    arch: str | None = None,
    filters: str | None = None,
    channels: _Channels | None = None,
    padding: _Padding | None = None,
    init: _Path | None = None,
    average: float | None = None,
    learning_rates: Sequence[float] = ...,
    batch: int | None = None,
    patch: int | None = None,
    stride: int | None = None,
    degradation: str | None = None,
    train_padding: _Padding | None = None,
    seed: int | None = None,
    eval_every: int | None = None,
    save_every: int | None = None,
    gpu: str | int | None = None,
    backend: _Backend | None = None,
) -> Weights: ...
