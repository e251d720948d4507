//! SRCNN super-resolution (Dong, Loy, He and Tang, ECCV 2014) on the GPU: pictures and video enlarged by a small
//! convolutional network, in WGSL on [`wgpu`], without CUDA or Python. Bicubic interpolation is MATLAB's `imresize` and
//! luminance its `rgb2ycbcr`, so that results compare with the literature to the last digit.
//!
//! It sharpens what is in a picture and invents no detail; it removes no noise, and sees each frame of a video alone.
//!
//! # Enlarging a picture
//!
//! With feature `headless` the library opens a device of its own, takes a picture and returns one:
//!
//! ```
//! # #[cfg(all(feature = "headless", feature = "wgpu_default"))]
//! # fn main() -> srcnn_gpu::Result<()> {
//! use image::{DynamicImage, Rgb, RgbImage};
//! use srcnn_gpu::Shipped;
//! use srcnn_gpu::headless::{self, AdapterSelection, Headless, HeadlessOptions};
//!
//! // The shipped network for the nearest trained scale; `Weights::load` reads other files.
//! let weights = Shipped::Small.nearest(3.0)?;
//! // The best adapter there is; one in software will do.
//! let gpu = headless::open(&AdapterSelection::default())?;
//! let mut network = Headless::new(gpu, &weights, HeadlessOptions::default())?;
//!
//! let picture = RgbImage::from_fn(40, 30, |x, y| Rgb([6 * x as u8, 8 * y as u8, 128]));
//! let picture = DynamicImage::from(picture);
//! let large = network.upscale(&picture, 3.0, &mut |_done, _tiles| ())?;
//! assert_eq!((large.width(), large.height()), (120, 90));
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "headless", feature = "wgpu_default")))]
//! # fn main() {}
//! ```
//!
//! # Features
//!
//! | feature | what it adds | default |
//! |---|---|---|
//! | (none) | [`Upscaler`] on a device of yours, [`Weights`], the mathematics of pictures | yes |
//! | `wgpu_default` | wgpu's own backends; without it, the host's wgpu features decide | yes |
//! | `headless` | a device of its own: pictures and their files (`headless`), video (`video`), measuring quality (`eval`) | by `cli` |
//! | `train` | training steps on a device of yours (`train::gpu::Trainer`); with `headless`, runs on folders of pictures | by `cli` |
//! | `mat` | weight files in the authors' MATLAB format | by `cli` |
//! | `onnx` | networks read from and written to ONNX files (`export::onnx`) | by `cli` |
//! | `pytorch` | weight files of PyTorch | by `cli` |
//! | `dictionary` | the methods that the paper compares with (`dictionary`), and several networks for all factors (`enlarge`); with `train`, training of dictionaries | by `cli` |
//! | `translate` | the kernels as SPIR-V, MSL, HLSL and GLSL (`gpu::translate`) | by `cli` |
//! | `files` | what `upscale` does between its arguments and files, for programs that save results as it does | by `cli` |
//! | `cli` | the program `srcnn-gpu`; includes the eight that say so | yes |
//! | `webp-lossy` | WebP files with a quality, by the C library libwebp, built from source | yes |
//! | `heic`, `avif`, `avif-native` | more picture formats of the program, by C libraries (`avif` without) | no |
//!
//! An embedding application takes `default-features = false, features = ["wgpu_default"]`: this crate then adds ten crates to
//! those of wgpu itself. Without `wgpu_default` there is no backend, and wgpu refuses to make an instance, unless the
//! application depends on the same wgpu and enables some.
//!
//! # Units and ranges
//!
//! - Values of pictures are gamma-encoded, as in files (sRGB or similar), **not linear**: 0 is black, 1 is white.
//! - A network on [`Channels::Y`] sees luminance of BT.601 in 16/255..235/255, and on [`Channels::YCbCr`] chrominance in
//!   16/255..240/255 too ([`color`]). On [`Channels::Rgb`] it sees red, green and blue in 0..1.
//! - Results are neither rounded nor clamped before they are stored in a format that does so.
//! - Planes are `[channel][row][column]`, filters `[filters][inputs][row][column]` as in PyTorch (correlation, not flipped).
//! - Sizes are in pixels, `(width, height)`. Scales are factors of the sides: any number above 1, 3.0 makes nine pixels of
//!   one. Sizes that a scale gives are rounded up, as MATLAB does.
//! - PSNR is in dB with a peak of 255 ([`metrics`]); the training loss is equation 4 of the paper, a sum over pixels and a
//!   mean over the batch.
//!
//! # Embedding
//!
//! [`Upscaler`] takes your device and queue and records into your command encoder, from texture to texture. It creates no
//! instance, submits nothing and waits for nothing.
//!
//! 1. Open the device with [`Upscaler::required_features`] and [`Upscaler::required_limits`] or more, and with
//!    [`Precision::required_features`] for half precision. Use the [`wgpu`] that this crate exports, or the same major
//!    version.
//! 2. [`Upscaler::new`], once a network: compiles the kernels and uploads the filters.
//! 3. [`Upscaler::prepare`], once a size: makes tables and buffers, and tells the size of the result.
//! 4. [`Upscaler::record`], once a frame. The source needs `TEXTURE_BINDING` and a format with float values, the target the
//!    format of the [`UpscalerOptions`] and [`Upscaler::target_usage`].
//!
//! Both are textures, or [`TextureRef`]s that choose a format, mip level or layer of one. Their values are gamma-encoded in
//! memory, whether the format has sRGB or not; what is looked at through a source's sRGB format, and linear light in floats,
//! needs [`UpscalerOptions::linear_source`]. A target may have any format that can be rendered to, as surfaces of windows do
//! ([`TargetAccess`]).
//!
//! Work on the device is cut into tiles of bounded memory by itself; tiled and untiled results are equal bit for bit.
//! [`Upscaler::record_tiles`] spreads the tiles of a picture over several submissions, or computes only those in view
//! ([`Upscaler::tiles_within`]). A picture larger than the device's textures goes by [`Upscaler::prepare_tiles`] and
//! [`Upscaler::record_tile`], each tile in textures of its own.
//!
//! **A part of a picture** is a [`RegionOfInterest`]: [`Upscaler::region`] cuts any columns and rows of the result into tiles,
//! and [`Upscaler::record_region`] records as many of them as a frame has time for. It reads and writes no more than the
//! region needs, in textures that hold no more, and its pixels are those of the whole result, bit for bit. Small tiles
//! ([`UpscalerOptions::tile`]) are short frames, and compute more pixels twice.
//!
//! **Another size** is one more call of [`Upscaler::prepare`]: it makes textures, buffers and tables, and compiles nothing but,
//! on adapters in software, kernels for large results. What was recorded before stays valid, in the same encoder too. The old
//! size is gone then; where sizes alternate, keep an upscaler for each. Another network of the same shape is a call of
//! [`Upscaler::set_weights`], or of [`Upscaler::with_weights`], whose upscaler shares the kernels: made and prepared on another
//! thread, it takes over between two frames. [`Upscaler::release`] gives back what a size takes, and
//! [`Upscaler::device_bytes`] tells how much that is.
//!
//! **Pixels on the CPU** take a copy, as with any texture of wgpu: give the target `COPY_SRC`, copy it to a buffer of
//! `MAP_READ` with `copy_texture_to_buffer` (rows begin at multiples of 256 bytes), submit, map, poll; the package's
//! `examples/embed_in_host.rs` has these lines in its function `save`. `headless::Headless` does all that and returns pictures.
//!
//! **Threads.** [`Upscaler`], `headless::Headless` and `train::gpu::Trainer` are `Send`, and [`Upscaler`] is `Sync` too. Nothing
//! has to be called on a certain thread. [`Upscaler::new`] compiles for up to some seconds, so hosts that draw make it on another thread and hand it
//! over. [`Upscaler::record`] takes `&self`: several threads may record at the same time, each into an encoder of its own, and
//! the queue runs what is submitted one after the other. [`Upscaler::prepare`] takes `&mut self`.
//!
//! # Training
//!
//! With feature `train`, `train::gpu::Trainer` does steps on your device:
//!
//! ```no_run
//! # #[cfg(feature = "train")]
//! # fn steps(device: &srcnn_gpu::wgpu::Device, queue: &srcnn_gpu::wgpu::Queue,
//! #     pictures: &srcnn_gpu::train::shard::PackedShard) -> srcnn_gpu::Result<()> {
//! use srcnn_gpu::train::State;
//! use srcnn_gpu::train::config::{Initialization, Optimizer};
//! use srcnn_gpu::train::gpu::{Trainer, TrainerOptions};
//! use srcnn_gpu::train::init::initialize;
//! use srcnn_gpu::train::order::Order;
//! use srcnn_gpu::{Architecture, Metadata};
//!
//! let architecture = Architecture::parse("9-1-5", "64-32", 1)?;
//! let first = Initialization::Gaussian { deviation: 0.001 };
//! let weights = initialize(&architecture, first, 0, Metadata::default())?;
//! let optimizer = Optimizer::Sgd { momentum: 0.9, learning_rates: vec![1e-4, 1e-4, 1e-5] };
//! let state = State::new(weights.layers().to_vec(), optimizer.slots());
//!
//! let mut trainer = Trainer::new(device, queue, &state, &TrainerOptions::new(128, 33, optimizer))?;
//! trainer.set_pictures(pictures)?;
//! let sub_images = pictures.patches.len() as u32;
//! let order = Order::new(0, 128, &[sub_images])?;
//! for step in 0..1000 {
//!     let batch = order.batch(&order.place(step), sub_images, true);
//!     let _loss = trainer.step(&batch, 1.0)?;
//! }
//! let _trained = trainer.state()?.layers;
//! # Ok(()) }
//! ```
//!
//! With `headless` besides, `train::dataset` cuts folders of pictures into sub-images, and `train::session` runs a whole
//! configuration (`train::recipe` has the paper's) with validation, checkpoints and diagrams, and continues it bit for bit.

#[cfg(feature = "headless")]
#[doc(hidden)]
pub mod atomic;
#[doc(hidden)]
pub mod bounded;
#[cfg(feature = "headless")]
mod chart;
pub mod color;
pub mod degrade;
#[cfg(feature = "dictionary")]
pub mod dictionary;
#[cfg(feature = "dictionary")]
pub mod enlarge;
pub mod error;
#[cfg(feature = "headless")]
pub mod eval;
pub mod export;
pub mod gpu;
#[cfg(feature = "headless")]
#[doc(hidden)]
pub mod guard;
#[cfg(any(feature = "headless", feature = "train"))]
#[doc(hidden)]
pub mod hash;
#[cfg(feature = "headless")]
pub mod headless;
#[cfg(feature = "files")]
#[doc(hidden)]
pub mod jobs;
#[doc(hidden)]
pub mod limits;
pub mod metrics;
pub mod network;
#[cfg(feature = "onnx")]
#[doc(hidden)]
pub mod onnx;
#[cfg(feature = "headless")]
#[doc(hidden)]
pub mod own;
#[cfg(any(feature = "dictionary", all(feature = "train", feature = "headless")))]
mod parallel;
#[cfg(feature = "headless")]
#[doc(hidden)]
pub mod picture;
pub mod planes;
pub mod precision;
#[cfg(any(feature = "headless", feature = "train"))]
mod random;
#[cfg(any(feature = "headless", feature = "train"))]
pub mod ranks;
pub mod ratio;
pub mod reference;
pub mod resample;
#[cfg(feature = "files")]
#[doc(hidden)]
pub mod stages;
#[cfg(feature = "train")]
pub mod train;
pub mod upscaler;
#[cfg(feature = "headless")]
pub mod video;
pub mod weights;

pub use error::{Error, Reason, Result};
pub use network::{Architecture, Channels, LayerShape, Padding};
pub use planes::Planes;
pub use precision::Precision;
pub use upscaler::{
    Enlargement, KernelChoice, RegionOfInterest, SourceKind, TargetAccess, TextureRef, TileGrid, TileSlot,
    TileSpan, Upscaler, UpscalerOptions,
};
pub use weights::{Layer, Metadata, Shipped, Weights};
/// The wgpu that this crate is built against; an embedding app uses this very version.
pub use wgpu;

/// The README's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
