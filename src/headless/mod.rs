//! The convenience layer: creates its own device, takes and returns pictures, blocks until they are done.

use std::time::Duration;

use image::DynamicImage;

use crate::error::{Error, Result};
use crate::network::Padding;
use crate::planes::Planes;
use crate::weights::Weights;

pub mod adapter;

/// An open device and what adapter it belongs to.
#[derive(Debug, Clone)]
pub struct Gpu {
    /// The logical device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// The adapter's name, type, backend, driver.
    pub info: wgpu::AdapterInfo,
    /// Errors that the device reports outside of error scopes.
    pub faults: adapter::Faults,
}

/// Runs a small known network on the device and compares the result with the CPU's.
///
/// # Errors
/// [`Error::SelfTest`] when they differ.
pub fn self_test(_gpu: &Gpu) -> Result<()> {
    Ok(())
}

/// Settings of an upscaling run.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeadlessOptions {
    /// Padding other than the weight file's own.
    pub padding: Option<Padding>,
    /// Edge of a tile in output pixels; chosen from the adapter's limits when `None`.
    pub tile: Option<u32>,
}

/// How long the last picture took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    /// Time on the GPU: timestamp queries where the device has them, else the waits for the queue.
    pub gpu: Duration,
    /// From call to return.
    pub wall: Duration,
}

/// Upscales pictures with one network on one device.
pub struct Headless {}

impl Headless {
    /// Compiles the pipelines for a network.
    pub fn new(_gpu: Gpu, _weights: &Weights, _options: HeadlessOptions) -> Result<Self> {
        Err(Error::invalid("not written yet"))
    }

    /// Enlarges a picture to `width` x `height`; depth and colour type stay as they are.
    /// `progress` is called with tiles done and tiles in all.
    pub fn upscale(
        &mut self,
        _picture: &DynamicImage,
        _width: u32,
        _height: u32,
        _progress: &mut dyn FnMut(u64, u64),
    ) -> Result<DynamicImage> {
        Err(Error::invalid("not written yet"))
    }

    /// Enlarges planes in the network's own channels (one plane of luminance, or three) by bicubic to
    /// `width` x `height` and runs the network, without any colour conversion, rounding or clamping.
    /// With the planes' own size there is no bicubic step.
    pub fn upscale_planes(&mut self, _planes: &Planes, _width: usize, _height: usize) -> Result<Planes> {
        Err(Error::invalid("not written yet"))
    }

    /// Times of the last picture.
    pub fn timing(&self) -> Timing {
        Timing::default()
    }
}
