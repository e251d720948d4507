//! The engine for hosts that own the device: `new`, `prepare`, `record`.
//!
//! Per tile (section 3.1): the source texture becomes planes (luminance and chrominance), bicubic interpolation makes
//! them the size of the result (Y in the paper), each layer pads and convolves, and the result F(Y) joins the bicubic
//! chrominance in the target texture. Nothing here creates an instance, submits, or waits.

mod layers;
mod layouts;
mod network;
mod pass;
mod plan;
mod region;
mod scratch;
mod steps;
mod when;
mod wide;
mod winograd;

pub use plan::{Enlargement, valid_factors};
pub use when::When;

pub(crate) use network::{GpuNetwork, Picture};
#[cfg(feature = "headless")]
pub(crate) use network::{Taps, pass_shaders};
pub(crate) use plan::Plan;
#[cfg(feature = "headless")]
pub(crate) use plan::Span;
#[cfg(feature = "headless")]
pub(crate) use region::{PlaneLayout, Region};
use scratch::Dispatch;
#[cfg(feature = "headless")]
pub(crate) use scratch::TextureBindings;
pub(crate) use scratch::{Placement, Scratch};

use crate::error::{Error, Result};
use crate::gpu::kernels::ConvShape;
use crate::gpu::scoped;
use crate::network::Padding;
use crate::precision::Precision;
use crate::resample::ResampleTable;
use crate::weights::Weights;

/// What the source texture holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceKind {
    /// Red, green, blue and alpha in 0..1, gamma-encoded as in picture files. A network on luminance gets Y of
    /// BT.601, chrominance and alpha are bicubic.
    #[default]
    Colour,
    /// The network's own channels in red (and green and blue for three), not converted in any way: a video's luma
    /// plane, for example. The target gets the result in the same channels.
    Planes,
}

/// Settings of an [`Upscaler`].
#[derive(Debug, Clone, PartialEq)]
pub struct UpscalerOptions {
    /// Padding other than the weights' own.
    pub padding: Option<Padding>,
    /// Longest side of a tile in result pixels; from the device's limits when `None`.
    pub tile: Option<u32>,
    /// Format of the target: `Rgba8Unorm`, `Rgba16Float`, `Rgba32Float`, or `R32Float` for luminance alone.
    pub target_format: wgpu::TextureFormat,
    /// What the source texture holds.
    pub source: SourceKind,
    /// Register tile and workgroup of the convolutions.
    pub conv_shape: ConvShape,
    /// Precision of the hidden layers.
    pub precision: Precision,
    /// When layer 1 of networks f1-1-f3 takes Winograd's short convolutions.
    pub winograd: When,
    /// Where compiled kernels are looked for first, and go to: a cache of the same device, or none. The host loads and
    /// stores it.
    pub pipeline_cache: Option<wgpu::PipelineCache>,
}

impl UpscalerOptions {
    /// Defaults for a device: the weights' padding, tiles by its limits, `Rgba8Unorm` colour pictures.
    pub fn for_device(device: &wgpu::Device) -> Self {
        Self {
            padding: None,
            tile: None,
            target_format: wgpu::TextureFormat::Rgba8Unorm,
            source: SourceKind::Colour,
            conv_shape: network::default_conv_shape(device),
            precision: Precision::F32,
            winograd: When::Auto,
            pipeline_cache: None,
        }
    }
}

/// Upscales textures on a host's device.
///
/// ```no_run
/// # fn main() -> srcnn_gpu::Result<()> {
/// # let (device, queue): (wgpu::Device, wgpu::Queue) = todo!();
/// # let (source, target): (wgpu::TextureView, wgpu::TextureView) = todo!();
/// use srcnn_gpu::{Shipped, Upscaler, UpscalerOptions, wgpu};
/// let weights = Shipped::Small.nearest(3.0)?;
/// let options = UpscalerOptions::for_device(&device);
/// let mut upscaler = Upscaler::new(&device, &queue, &weights, options)?;
/// let (width, height) = upscaler.prepare((640, 360), 3.0)?; // once a size
/// let mut encoder = device.create_command_encoder(&Default::default());
/// upscaler.record(&mut encoder, &source, &target)?; // once a frame
/// queue.submit([encoder.finish()]);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Upscaler {
    device: wgpu::Device,
    queue: wgpu::Queue,
    network: GpuNetwork,
    weights: Weights,
    options: UpscalerOptions,
    prepared: Option<Prepared>,
}

#[derive(Debug)]
struct Prepared {
    source: (u32, u32),
    enlargement: Enlargement,
    picture: Picture,
    scratch: Scratch,
}

impl Upscaler {
    /// Features that a device needs: none beyond the base. Half precision needs [`Precision::required_features`], a
    /// pipeline cache `Features::PIPELINE_CACHE`.
    pub fn required_features() -> wgpu::Features {
        wgpu::Features::empty()
    }

    /// Limits that a device needs at the least. Larger storage bindings than these 128 MiB allow larger tiles,
    /// and the textures must fit `max_texture_dimension_2d`.
    pub fn required_limits() -> wgpu::Limits {
        wgpu::Limits { max_texture_dimension_2d: 2048, ..wgpu::Limits::downlevel_defaults() }
    }

    /// Compiles the network for a device and uploads its filters; what depends on the size is left to `prepare`.
    ///
    /// # Errors
    /// [`Error::MissingCapability`] when the device was made with less than [`Upscaler::required_limits`] or than the
    /// options' precision needs,
    /// [`Error::InvalidArgument`] for a target format that is not supported, and what the device reports.
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        weights: &Weights,
        options: UpscalerOptions,
    ) -> Result<Self> {
        let (have, need) = (device.limits(), Self::required_limits());
        if have.max_storage_buffers_per_shader_stage < need.max_storage_buffers_per_shader_stage
            || have.max_compute_invocations_per_workgroup < 64
        {
            return Err(Error::MissingCapability("compute shaders with 4 storage buffers".into()));
        }
        let network = GpuNetwork::new(device, queue, weights, &options)?;
        let (device, queue, weights) = (device.clone(), queue.clone(), weights.clone());
        Ok(Self { device, queue, network, weights, options, prepared: None })
    }

    /// Makes everything that `record` needs for source textures of `source` pixels: resampling tables,
    /// normalization maps, buffers. Returns the width and height of the result. Asked again for the same size it
    /// does nothing.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for sizes out of range; [`Error::OutOfMemory`] when even small tiles do not fit.
    pub fn prepare(&mut self, source: (u32, u32), enlargement: impl Into<Enlargement>) -> Result<(u32, u32)> {
        let enlargement = enlargement.into();
        if let Some(ready) = self.prepared.as_ref()
            && ready.source == source
            && ready.enlargement == enlargement
        {
            return Ok(result_size(&ready.picture.plan));
        }
        self.prepare_tables(source, enlargement, &enlargement.tables(source)?)
    }

    /// The same with tables of columns and rows that are not the enlargement's own.
    pub(crate) fn prepare_tables(
        &mut self,
        source: (u32, u32),
        enlargement: Enlargement,
        tables: &[ResampleTable; 2],
    ) -> Result<(u32, u32)> {
        self.prepared = None;
        self.network.prepare(&self.device, &self.queue, &self.weights, tables)?;
        let prepared = with_smaller_tiles(self.first_tile(), |tile| {
            let picture = Picture::new(&self.device, &self.network, tables, tile)?;
            let tiles = picture.plan.tiles();
            let scratch = Scratch::new(&self.device, &self.network, &picture, tiles)?;
            for index in 0..tiles {
                let tile = picture.plan.tile(index);
                let regions = scratch.regions(&self.network, &picture, tile, Placement::Whole);
                let offset = (index * regions.len()) as u64;
                self.queue.write_buffer(scratch.region_buffer(), offset, &regions);
            }
            Ok(Prepared { source, enlargement, picture, scratch })
        })?;
        let size = result_size(&prepared.picture.plan);
        self.prepared = Some(prepared);
        Ok(size)
    }

    /// Puts other weights of the same architecture in place, for whatever is submitted from now on.
    #[cfg(feature = "headless")]
    pub(crate) fn set_weights(&self, weights: &Weights) -> Result<()> {
        self.network.set_weights(&self.device, &self.queue, weights)
    }

    fn first_tile(&self) -> usize {
        self.options.tile.map_or_else(|| self.network.default_tile(&self.device), |tile| tile.max(1) as usize)
    }

    /// Number of tiles of the prepared size; 0 before `prepare`.
    pub fn tiles(&self) -> usize {
        self.prepared.as_ref().map_or(0, |ready| ready.picture.plan.tiles())
    }

    /// Records the whole picture: `source` is read, `target` is written from texel (0, 0) on.
    ///
    /// `source` needs `TEXTURE_BINDING`, a float format (filterable or not) that is not sRGB, and at least the
    /// prepared size; `target` needs `STORAGE_BINDING`, the format of the options, and the result's size.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when a texture does not meet this, or before `prepare`.
    pub fn record(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: &wgpu::TextureView,
        target: &wgpu::TextureView,
    ) -> Result<()> {
        self.record_tiles(encoder, source, target, 0..self.tiles())
    }

    /// Records some of the tiles, for hosts that spread a large picture over several submissions or frames.
    ///
    /// # Errors
    /// As [`Upscaler::record`]; also for tiles that there are not.
    pub fn record_tiles(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: &wgpu::TextureView,
        target: &wgpu::TextureView,
        tiles: std::ops::Range<usize>,
    ) -> Result<()> {
        self.record_some(encoder, source, target, tiles, None, None)
    }

    /// Names of the kernels, in the order in which a tile runs them: for hosts that measure.
    pub fn kernels(&self) -> Vec<&'static str> {
        self.network.kernels().map(|kernel| kernel.shader.name).collect()
    }

    /// Records one kernel alone, of [`Upscaler::kernels`], for all tiles: to measure it, after a whole picture was
    /// computed. What it leaves in the target is of no use.
    ///
    /// # Errors
    /// As [`Upscaler::record`]; also for a kernel that there is not.
    pub fn record_kernel(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: &wgpu::TextureView,
        target: &wgpu::TextureView,
        kernel: usize,
    ) -> Result<()> {
        let kernels = self.network.kernels().count();
        if kernel >= kernels {
            return Err(Error::invalid(format!("kernel {kernel} of {kernels}")));
        }
        self.record_some(encoder, source, target, 0..self.tiles(), Some(kernel), None)
    }

    /// As [`Upscaler::record`], or [`Upscaler::record_kernel`] with a kernel that there is, between two timestamps.
    #[cfg(feature = "headless")]
    pub(crate) fn record_timed(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: &wgpu::TextureView,
        target: &wgpu::TextureView,
        kernel: Option<usize>,
        stamps: Option<wgpu::ComputePassTimestampWrites<'_>>,
    ) -> Result<()> {
        self.record_some(encoder, source, target, 0..self.tiles(), kernel, stamps)
    }

    /// Records tiles, all kernels or one.
    fn record_some(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: &wgpu::TextureView,
        target: &wgpu::TextureView,
        tiles: std::ops::Range<usize>,
        kernel: Option<usize>,
        stamps: Option<wgpu::ComputePassTimestampWrites<'_>>,
    ) -> Result<()> {
        let ready = self.prepared.as_ref().ok_or_else(|| Error::invalid("call prepare before record"))?;
        let plan = &ready.picture.plan;
        if tiles.end > plan.tiles() {
            return Err(Error::invalid(format!("tiles {tiles:?}, but there are {}", plan.tiles())));
        }
        check_texture("source", source, wgpu::TextureUsages::TEXTURE_BINDING, ready.source)?;
        check_texture("target", target, wgpu::TextureUsages::STORAGE_BINDING, result_size(plan))?;
        if target.texture().format() != self.options.target_format {
            return Err(Error::invalid(format!(
                "the target is {:?}, the upscaler was made for {:?}",
                target.texture().format(),
                self.options.target_format
            )));
        }
        let textures = scoped(&self.device, || {
            ready.scratch.bind_textures(&self.device, &self.network, &ready.picture, source, target)
        })?;
        let only = kernel.and_then(|kernel| self.network.kernels().nth(kernel));
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("srcnn"),
            timestamp_writes: stamps,
        });
        for index in tiles {
            let tile = plan.tile(index);
            let dispatches = ready.scratch.dispatches(&self.network, &ready.picture, &textures, tile, index);
            let wanted =
                |dispatch: &&Dispatch<'_>| only.is_none_or(|only| std::ptr::eq(only, dispatch.kernel));
            dispatches.iter().filter(wanted).for_each(|dispatch| dispatch.record(&mut pass));
        }
        Ok(())
    }
}

fn result_size(plan: &Plan) -> (u32, u32) {
    (plan.result[0] as u32, plan.result[1] as u32)
}

fn check_texture(
    name: &str,
    view: &wgpu::TextureView,
    usage: wgpu::TextureUsages,
    size: (u32, u32),
) -> Result<()> {
    let texture = view.texture();
    if !texture.usage().contains(usage) {
        return Err(Error::invalid(format!("the {name} texture lacks the usage {usage:?}")));
    }
    if texture.format().is_srgb() {
        return Err(Error::invalid(format!(
            "the {name} texture is {:?}: networks work on gamma-encoded values, use the format without sRGB",
            texture.format()
        )));
    }
    if texture.width() < size.0 || texture.height() < size.1 {
        return Err(Error::invalid(format!(
            "the {name} texture is {}x{}, {}x{} are needed",
            texture.width(),
            texture.height(),
            size.0,
            size.1
        )));
    }
    Ok(())
}

/// Calls `attempt` with `tile`, and with half of it as long as there is not enough memory.
pub(crate) fn with_smaller_tiles<T>(tile: usize, mut attempt: impl FnMut(usize) -> Result<T>) -> Result<T> {
    const SMALLEST: usize = 16;
    let mut tile = tile;
    loop {
        match attempt(tile) {
            Err(Error::OutOfMemory(reason)) if tile > SMALLEST => {
                log::warn!("out of GPU memory with tiles of {tile}: {reason}; trying {}", tile / 2);
                tile = (tile / 2).max(SMALLEST);
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_memory_halves_the_tile() {
        let mut tried = Vec::new();
        let result = with_smaller_tiles(100, |tile| {
            tried.push(tile);
            if tile > 30 { Err(Error::OutOfMemory("none left".into())) } else { Ok(tile) }
        });
        assert_eq!((result.unwrap(), tried), (25, vec![100, 50, 25]));
        let never: Result<()> = with_smaller_tiles(100, |_| Err(Error::OutOfMemory("none left".into())));
        assert!(matches!(never, Err(Error::OutOfMemory(_))));
    }
}
