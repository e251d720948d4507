//! The engine for hosts that own the device: `new`, `prepare`, `record`.
//!
//! Each tile (section 3.1) goes through these stages: the source texture becomes planes (luminance and chrominance);
//! bicubic interpolation enlarges them to the result's size (Y in the paper); each layer pads and convolves; the
//! result F(Y) joins the bicubic chrominance in the target texture. Nothing here creates an instance, submits, or
//! waits.
//!
//! Whole pictures go from texture to texture ([`Upscaler::prepare`], [`Upscaler::record`]). Pictures larger than the
//! host's textures go tile by tile, through textures that hold one tile each ([`Upscaler::prepare_tiles`],
//! [`Upscaler::record_tile`]).

mod exchange;
mod fused;
mod fused_workgroup;
mod layers;
mod layouts;
mod minimal_filtering;
mod network;
mod options;
mod outline;
mod pass;
mod plan;
mod region;
mod region_of_interest;
#[cfg(feature = "headless")]
mod resampler;
mod schedule;
mod selection;
mod steps;
mod tables;
mod target;
mod texture_ref;
mod tile_textures;
mod tiles;
mod winograd;

pub use options::{KernelChoice, SourceKind, TargetAccess, UpscalerOptions};
pub use plan::{Enlargement, TileSpan};
pub use region_of_interest::RegionOfInterest;
#[cfg(feature = "headless")]
pub(crate) use resampler::{ResampleKernels, Resampler};
pub use schedule::{PictureSchedule, Schedule};
#[cfg(feature = "headless")]
pub(crate) use selection::pass_shaders;
pub use texture_ref::TextureRef;
pub use tiles::{TileGrid, TileSlot};

use std::ops::Range;

use crate::error::{Error, Result};
use crate::gpu::scoped;
use crate::network::Padding;
use crate::resample::ResampleTable;
use crate::weights::Weights;
use network::GpuNetwork;
#[cfg(test)]
pub(crate) use plan::Plan;
#[cfg(not(test))]
use plan::Plan;
use steps::{Frame, Placement, Step};
use tables::PictureTables;
use tile_textures::{Recorded, TileTextures};

/// Upscales textures on a host's device.
///
/// A network suits the factors that it was trained for ([`Metadata::scales`](crate::Metadata::scales)) and no others: the rest of a factor
/// between them is better left to bicubic interpolation, such as enlarging by 2 and shrinking the result for 1.5. With feature
/// `dictionary`, `enlarge::Enlarger` does that with pictures.
///
/// ```no_run
/// # fn main() -> srcnn_gpu::Result<()> {
/// # let (device, queue): (wgpu::Device, wgpu::Queue) = todo!();
/// # let (source, target): (wgpu::Texture, wgpu::Texture) = todo!();
/// use srcnn_gpu::{Shipped, Upscaler, UpscalerOptions, wgpu};
/// let weights = Shipped::Small.nearest(3.0)?;
/// let options = UpscalerOptions::for_device(&device);
/// let mut upscaler = Upscaler::new(&device, &queue, &weights, options)?;
/// let (width, height) = upscaler.prepare((640, 360), 3.0)?; // once per size
/// let mut encoder = device.create_command_encoder(&Default::default());
/// upscaler.record(&mut encoder, &source, &target)?; // once per frame
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
    /// Longest side of a tile, overriding the options after running out of memory.
    tile_limit: Option<u32>,
    prepared: Option<Prepared>,
}

/// Everything prepared for one picture size.
#[derive(Debug)]
struct Prepared {
    source: (u32, u32),
    enlargement: Enlargement,
    /// Longest side of a tile.
    tile: u32,
    plan: Plan,
    /// What the plan is cut by: for columns and for rows.
    resampling: [ResampleTable; 2],
    tables: PictureTables,
    textures: TileTextures,
    placement: Placement,
    /// Number of tiles whose regions fit into the buffer at a time.
    lists: usize,
}

impl Prepared {
    fn steps(&self, network: &GpuNetwork, tile: usize) -> Vec<Step> {
        self.steps_of(network, self.plan.tile(tile), self.placement)
    }

    fn steps_of(&self, network: &GpuNetwork, tile: [&TileSpan; 2], placement: Placement) -> Vec<Step> {
        let frame = Frame {
            outline: &network.outline,
            layouts: &self.textures.layouts,
            taps: self.tables.taps.each_ref().map(|taps| taps.count),
            picture: self.plan.picture,
            placement,
        };
        frame.steps(tile)
    }
}

impl Upscaler {
    /// Features that a device needs: none beyond the base. Half precision needs
    /// [`Precision::required_features`](crate::Precision::required_features), a pipeline cache needs
    /// `Features::PIPELINE_CACHE`.
    pub fn required_features() -> wgpu::Features {
        wgpu::Features::empty()
    }

    /// Limits that a device needs at least. Storage bindings larger than these 128 MiB allow larger tiles; source and
    /// target textures must fit `max_texture_dimension_2d`.
    pub fn required_limits() -> wgpu::Limits {
        wgpu::Limits { max_texture_dimension_2d: 2048, ..wgpu::Limits::downlevel_defaults() }
    }

    /// Compiles the network for a device and uploads its filters; everything that depends on the size is left to
    /// `prepare`.
    ///
    /// # Errors
    /// [`Error::MissingCapability`] if the device has less than [`Upscaler::required_limits`] or lacks what the
    /// options' precision needs, [`Error::InvalidArgument`] for an unsupported target format, and what the device
    /// reports.
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
        Ok(Self { device, queue, network, weights, options, tile_limit: None, prepared: None })
    }

    /// Creates everything that `record` needs for source textures of `source` pixels: resampling tables, normalization
    /// maps, buffers. Returns the width and height of the result. Does nothing if the size is already prepared.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for sizes out of range; [`Error::OutOfMemory`] if not even small tiles fit.
    pub fn prepare(&mut self, source: (u32, u32), enlargement: impl Into<Enlargement>) -> Result<(u32, u32)> {
        let enlargement = enlargement.into();
        if !self.is_prepared(source, enlargement, Placement::Whole, 0) {
            let tables = enlargement.tables(source)?;
            self.prepare_placed(source, enlargement, &tables, Placement::Whole, None)?;
        }
        self.result_size()
    }

    fn result_size(&self) -> Result<(u32, u32)> {
        self.prepared.as_ref().map(|ready| ready.plan.result_size()).ok_or_else(not_prepared)
    }

    /// As [`Upscaler::prepare`], with given resampling tables for columns and rows.
    #[cfg(feature = "headless")]
    pub(crate) fn prepare_tables(
        &mut self,
        source: (u32, u32),
        enlargement: Enlargement,
        tables: &[ResampleTable; 2],
    ) -> Result<()> {
        self.prepare_placed(source, enlargement, tables, Placement::Whole, None)
    }

    /// The options passed to [`Upscaler::new`].
    pub fn options(&self) -> &UpscalerOptions {
        &self.options
    }

    /// The padding in use: the options' or, without one, the weights'.
    pub fn padding(&self) -> Padding {
        self.network.padding()
    }

    /// Number of tiles of the prepared size; 0 before `prepare`.
    pub fn tiles(&self) -> usize {
        self.prepared.as_ref().map_or(0, |ready| ready.plan.tiles())
    }

    /// Records the whole picture: reads `source` and writes `target` from texel (0, 0) on.
    ///
    /// `source` needs `TEXTURE_BINDING`, a format with float values (filterable or not) that is
    /// not sRGB (unless the options say that the source is linear), and at least the prepared size. `target` needs the format of the options, the usage of its
    /// [`TargetAccess`], and at least the result's size. Both may be textures, or [`TextureRef`]s.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if a texture does not meet these requirements, or before `prepare`.
    pub fn record<'a>(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: impl Into<TextureRef<'a>>,
        target: impl Into<TextureRef<'a>>,
    ) -> Result<()> {
        self.record_tiles(encoder, source, target, 0..self.tiles())
    }

    /// Records a range of tiles, for hosts that spread a large picture over several submissions or frames.
    ///
    /// # Errors
    /// As [`Upscaler::record`]; also for tiles out of range.
    pub fn record_tiles<'a>(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: impl Into<TextureRef<'a>>,
        target: impl Into<TextureRef<'a>>,
        tiles: Range<usize>,
    ) -> Result<()> {
        self.record_some(encoder, [source.into(), target.into()], tiles, Recorded::default())
    }

    /// Numbers of the tiles that have pixels in these columns and rows of the result, for hosts that show a part of it: each
    /// recorded alone is the same, up to its borders, as in the whole. Smaller tiles ([`UpscalerOptions::tile`]) follow a part
    /// more closely, and compute more pixels twice.
    ///
    /// ```no_run
    /// # fn record(upscaler: &srcnn_gpu::Upscaler, encoder: &mut srcnn_gpu::wgpu::CommandEncoder,
    /// #     source: &srcnn_gpu::wgpu::Texture, target: &srcnn_gpu::wgpu::Texture) -> srcnn_gpu::Result<()> {
    /// for tile in upscaler.tiles_within(300..940, 0..480) {
    ///     upscaler.record_tiles(encoder, source, target, tile..tile + 1)?;
    /// }
    /// # Ok(()) }
    /// ```
    pub fn tiles_within(&self, columns: Range<u32>, rows: Range<u32>) -> impl Iterator<Item = usize> {
        let seen = move |span: &TileSpan, part: &Range<u32>| {
            let (start, end) = (span.start as u32, (span.start + span.len) as u32);
            start.max(part.start) < end.min(part.end)
        };
        let seen = move |[x, y]: [&TileSpan; 2]| seen(x, &columns) && seen(y, &rows);
        (0..self.tiles()).filter(move |&tile| self.tile(tile).is_some_and(&seen))
    }

    /// The usage that a target needs, by [`UpscalerOptions::target_access`].
    pub fn target_usage(&self) -> wgpu::TextureUsages {
        self.network.to_target.usage()
    }

    /// Names of the kernels in the order in which a tile runs them, for hosts that measure.
    pub fn kernels(&self) -> Vec<&'static str> {
        self.network.kernels().collect()
    }

    /// As [`Upscaler::record`], but between two timestamps, for hosts that measure: all kernels, or only one of
    /// [`Upscaler::kernels`]. Running only one needs a whole picture computed before, and leaves nothing useful in the
    /// target.
    ///
    /// # Errors
    /// As [`Upscaler::record`]; also for a kernel out of range.
    pub fn record_timed<'a>(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: impl Into<TextureRef<'a>>,
        target: impl Into<TextureRef<'a>>,
        kernel: Option<usize>,
        timestamps: Option<wgpu::ComputePassTimestampWrites<'_>>,
    ) -> Result<()> {
        let kernels = self.network.kernels().count();
        if let Some(kernel) = kernel.filter(|&kernel| kernel >= kernels) {
            return Err(Error::invalid(format!("kernel {kernel} is out of range: there are {kernels}")));
        }
        let recorded = Recorded { only: kernel, timestamps };
        self.record_some(encoder, [source.into(), target.into()], 0..self.tiles(), recorded)
    }

    /// Records tiles of a whole picture, from a source to a target.
    fn record_some(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        ends: [TextureRef<'_>; 2],
        tiles: Range<usize>,
        recorded: Recorded<'_>,
    ) -> Result<()> {
        let ready = self.prepared.as_ref().ok_or_else(not_prepared)?;
        if ready.placement == Placement::Tile {
            return Err(Error::invalid("prepared for textures that hold one tile each: call record_tile"));
        }
        if tiles.end > ready.plan.tiles() {
            return Err(Error::invalid(format!(
                "tiles {tiles:?} are out of range: there are {}",
                ready.plan.tiles()
            )));
        }
        let format = ends[0].format();
        let [source, target] = self.views(ends, [ready.source, ready.plan.result_size()])?;
        let ends = scoped(&self.device, || {
            let source = (&source, format);
            ready.textures.bind_ends(&self.device, &self.network, &ready.tables, source, &target)
        })?;
        let tiles = tiles.map(|tile| (tile, ready.steps(&self.network, tile)));
        ready.textures.record(encoder, &self.network, &ends, tiles, &recorded);
        Ok(())
    }

    /// Views of source and target, which need at least these sizes.
    fn views(
        &self,
        [source, target]: [TextureRef<'_>; 2],
        [reads, writes]: [(u32, u32); 2],
    ) -> Result<[wgpu::TextureView; 2]> {
        let (device, options) = (&self.device, &self.options);
        Ok([
            source.source(device, reads, options.encodes())?,
            target.target(device, writes, options.target_format, self.network.to_target.usage())?,
        ])
    }
}

fn not_prepared() -> Error {
    Error::invalid("nothing is prepared: call prepare before record")
}
